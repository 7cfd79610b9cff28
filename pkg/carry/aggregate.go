// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"errors"
	"fmt"
	"os"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
	"github.com/imaboot/imaboot/pkg/tpm"
)

// An AggregateReport compares the boot_aggregate of the first kernel with the
// registers that firmware and loaders extend. Later kernels are not compared:
// whoever can choose a file's name can make what looks like their boot_aggregate.
type AggregateReport struct {
	// Verdict is match or boot-aggregate-mismatch; "" if nothing could be
	// compared.
	Verdict refusal.Name `json:"verdict,omitempty"`
	// PCRs are the registers that the boot_aggregate is the digest of.
	PCRs string `json:"pcrs,omitempty"`
	// Text says it for people.
	Text string `json:"text"`
}

// err is an error if the boot_aggregate is that of another boot.
func (r *AggregateReport) err() error {
	if r == nil || r.Verdict != refusal.AggregateMismatch {
		return nil
	}
	return fmt.Errorf("%w: hop 1: %s", errAggregate, r.Text)
}

// checkAggregate returns nil if there is no TPM, or if the list does not begin with
// the boot_aggregate of a kernel that found one.
func (r *reader) checkAggregate(s *Snapshot) *AggregateReport {
	hops := s.Report.Hops
	if s.PCRs == nil || len(hops) == 0 || hops[0].BootAggregate == "" || hops[0].NoTPM {
		return nil
	}
	all := make([]int, eventlog.FilePCR+1)
	for i := range all {
		all[i] = i
	}
	now, err := tpm.Read(r.o.Root, all...)
	if err != nil {
		return notCompared(err)
	}
	read := func(index int, a pcr.Algorithm) ([]byte, error) {
		for _, p := range now[index].PCRs {
			if p.Algorithm == a {
				return p.Value, nil
			}
		}
		return nil, fmt.Errorf("%s has no bank %s", r.chip.Name(), a)
	}
	got, err := eventlog.ExplainNow(hops[0].BootAggregate, read)
	if err != nil {
		return notCompared(err)
	}
	when := "as they are"
	if got.PCRs == "" {
		got, when = r.explainEarlier(hops[0].BootAggregate, read)
	}
	if got.PCRs == "" {
		return &AggregateReport{Verdict: refusal.AggregateMismatch, Text: fmt.Sprintf("boot_aggregate %s is the digest neither of PCRs 0-7 nor of PCRs 0-9", hops[0].BootAggregate)}
	}
	return &AggregateReport{refusal.Match, got.PCRs, fmt.Sprintf("boot_aggregate is that of PCRs %s %s", got.PCRs, when)}
}

func notCompared(err error) *AggregateReport {
	return &AggregateReport{Text: fmt.Sprintf("boot_aggregate was not compared: %v", err)}
}

// explainEarlier explains a boot_aggregate by PCRs 8 and 9 as they were before,
// which only a log can tell, or before anything was extended.
func (r *reader) explainEarlier(aggregate string, read func(int, pcr.Algorithm) ([]byte, error)) (eventlog.Aggregate, string) {
	for _, l := range r.eventLogs() {
		got, err := l.ExplainAll([]string{aggregate}, read)
		if err != nil || got[0].PCRs == "" {
			continue
		}
		if got[0].Events == 0 {
			return got[0], "as they were before PCRs 8 and 9 were extended"
		}
		return got[0], fmt.Sprintf("as they were after %s of the event log", human.Count(got[0].Events, "events"))
	}
	return eventlog.Aggregate{}, ""
}

// eventLogs returns all logs that may tell what PCRs 8 and 9 were: one that was
// handed on, the firmware's, and the log of nothing. A log that cannot be read
// tells nothing.
func (r *reader) eventLogs() []*eventlog.Log {
	var all [][]byte
	if given, err := r.handedLog(); err == nil && given.data != nil {
		all = append(all, given.data)
	}
	if b, err := os.ReadFile(r.chip.FirmwareLog()); err == nil {
		all = append(all, b)
	} else if !errors.Is(err, os.ErrNotExist) {
		r.o.Debug("firmware's event log: %v", err)
	}
	out := []*eventlog.Log{}
	for _, b := range all {
		if l, err := eventlog.Parse(b); err == nil {
			out = append(out, l)
		}
	}
	return append(out, eventlog.New(pcr.Algorithms))
}
