// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"fmt"
	"strings"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrAggregate means that the first boot_aggregate is that of another boot.
var ErrAggregate = refusal.New(refusal.AggregateMismatch, "the list begins with another boot")

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

// CompareAggregate explains the first boot_aggregate by the registers that read
// returns, as for eventlog.ExplainNow, or by what event logs say that PCRs 8 and 9
// were before. logs is called only if the registers alone explain nothing. Even
// without a log, the two may have been zero. CompareAggregate returns nil if the
// list does not begin with the boot_aggregate of a kernel that found a TPM.
func (r *Report) CompareAggregate(read eventlog.Reader, logs func() []*eventlog.Log) *AggregateReport {
	if len(r.Hops) == 0 || r.Hops[0].BootAggregate == "" || r.Hops[0].NoTPM {
		return nil
	}
	aggregate := r.Hops[0].BootAggregate
	got, err := eventlog.ExplainNow(aggregate, read)
	if err != nil {
		return &AggregateReport{Text: fmt.Sprintf("boot_aggregate was not compared: %v", err)}
	}
	when := "as they are"
	if got.PCRs == "" {
		got, when = explainEarlier(aggregate, append(logs(), eventlog.New(pcr.Algorithms)), read)
	}
	if got.PCRs != "" {
		return &AggregateReport{refusal.Match, got.PCRs, fmt.Sprintf("boot_aggregate is that of PCRs %s %s", got.PCRs, when)}
	}
	text := fmt.Sprintf("boot_aggregate %s is the digest neither of PCRs 0-7 nor of PCRs 0-9", aggregate)
	if len(r.Hops) > 1 && !ofSHA1(aggregate) {
		text += "; was PCR 8 or 9 extended before a later kernel started?"
	}
	return &AggregateReport{Verdict: refusal.AggregateMismatch, Text: text}
}

// ofSHA1 reports whether a boot_aggregate is a SHA-1 digest, which covers PCRs 0
// to 7 alone. Some templates name no algorithm.
func ofSHA1(aggregate string) bool {
	return len(aggregate[strings.LastIndexByte(aggregate, ':')+1:]) == 2*pcr.SHA1.Size()
}

// explainEarlier explains a boot_aggregate by PCRs 8 and 9 as they were before,
// which only a log can tell, or before anything was extended.
func explainEarlier(aggregate string, logs []*eventlog.Log, read eventlog.Reader) (eventlog.Aggregate, string) {
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

// Err returns an error that wraps ErrAggregate if the boot_aggregate is that of
// another boot.
func (a *AggregateReport) Err() error {
	if a == nil || a.Verdict != refusal.AggregateMismatch {
		return nil
	}
	return fmt.Errorf("%w: hop 1: %s", ErrAggregate, a.Text)
}
