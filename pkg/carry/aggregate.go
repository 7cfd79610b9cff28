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
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
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

// A readPCR returns the value of a register in a bank.
type readPCR = func(index int, a pcr.Algorithm) ([]byte, error)

// checkAggregate compares the first boot_aggregate with the TPM. It returns nil if
// there is no TPM, or no such boot_aggregate.
func (r *reader) checkAggregate(s *Snapshot) *AggregateReport {
	if s.PCRs == nil {
		return nil
	}
	all := make([]int, eventlog.FilePCR+1)
	for i := range all {
		all[i] = i
	}
	now, err := r.chip.Read(all...)
	return compareAggregate(s.Report, r.eventLogs, func(index int, a pcr.Algorithm) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		for _, p := range now[index].PCRs {
			if p.Algorithm == a {
				return p.Value, nil
			}
		}
		return nil, fmt.Errorf("%s has no bank %s", r.chip.Name(), a)
	})
}

// compareAggregate explains the first boot_aggregate by the registers as they are,
// or by what event logs say they were. It returns nil if the list does not begin
// with the boot_aggregate of a kernel that found a TPM.
func compareAggregate(report *handover.Report, logs func() []*eventlog.Log, read readPCR) *AggregateReport {
	if len(report.Hops) == 0 || report.Hops[0].BootAggregate == "" || report.Hops[0].NoTPM {
		return nil
	}
	aggregate := report.Hops[0].BootAggregate
	got, err := eventlog.ExplainNow(aggregate, read)
	if err != nil {
		return &AggregateReport{Text: fmt.Sprintf("boot_aggregate was not compared: %v", err)}
	}
	when := "as they are"
	if got.PCRs == "" {
		got, when = explainEarlier(aggregate, logs(), read)
	}
	if got.PCRs == "" {
		return &AggregateReport{Verdict: refusal.AggregateMismatch, Text: fmt.Sprintf("boot_aggregate %s is the digest neither of PCRs 0-7 nor of PCRs 0-9", aggregate)}
	}
	return &AggregateReport{refusal.Match, got.PCRs, fmt.Sprintf("boot_aggregate is that of PCRs %s %s", got.PCRs, when)}
}

// explainEarlier explains a boot_aggregate by PCRs 8 and 9 as they were before,
// which only a log can tell, or before anything was extended.
func explainEarlier(aggregate string, logs []*eventlog.Log, read readPCR) (eventlog.Aggregate, string) {
	for _, l := range logs {
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
