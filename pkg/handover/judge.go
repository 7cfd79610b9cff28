// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"fmt"
	"strings"
)

// Texts that reports add to those of the banks.
const (
	textTrimmed = "; the first record is no boot_aggregate: the list is trimmed"
	textPartial = "; there are too many combinations of what these kernels may have extended to try all of them"
	textAhead   = "; records are lost, something else extended the PCR, or it was read later than the list"
)

// judge derives the list's verdict from the verdicts of its banks.
func (r *Report) judge() {
	r.neverExtended()
	switch {
	case r.Records == 0 && (!r.started || len(r.Banks) == 0):
		r.Verdict, r.Text = Empty, "the list is empty: it has no record, not even a boot_aggregate"
	case r.Tampered > 0:
		r.Verdict, r.Text = Tampered, fmt.Sprintf("tampered at record %d: its template digest is not that of its data", r.Tampered)
	case len(r.Banks) == 0:
		r.Verdict, r.Text = NoTPM, fmt.Sprintf("PCR %d: no TPM, %d records are unproven", r.PCR, r.Records)
		if r.Trimmed && !r.started {
			r.Text += textTrimmed
		}
	default:
		verdict, why := r.compare()
		r.Verdict, r.Text = verdict, r.bankTexts()+why+r.gapText()
	}
	r.Text += r.startText()
	if r.UnknownDigests && r.Records > 0 {
		r.Text += "; the template digests are of a hash that cannot be computed here, and were not checked"
	}
}

// Leave says in the report which banks were not compared because imaboot cannot
// replay them. The banks that were compared prove the list alone.
func (r *Report) Leave(banks []string) {
	if len(banks) == 0 {
		return
	}
	r.UnknownBanks = banks
	r.Text += fmt.Sprintf("; not compared, since they cannot be replayed here: banks %s", strings.Join(banks, ", "))
}

// neverExtended finds banks that are zero although other banks of the same
// register are not. They are not the PCR of a shorter list.
func (r *Report) neverExtended() {
	extended := map[int]bool{}
	for _, b := range r.Banks {
		extended[b.PCR] = extended[b.PCR] || b.Matched > 0
	}
	for i := range r.Banks {
		b := &r.Banks[i]
		if b.Verdict == ListAhead && b.Matched == 0 && b.Start == "" && extended[b.PCR] {
			b.Verdict, b.NeverExtended = BankNotReplayable, true
		}
	}
}

// compare returns the verdict on all registers, and a text that explains it.
func (r *Report) compare() (Verdict, string) {
	count := map[Verdict]int{}
	records := map[int]int{} // by register: the record after which it matches
	partial, apart := false, false
	for _, b := range r.Banks {
		count[b.Verdict]++
		partial = partial || b.Partial
		if b.Verdict != Match && b.Verdict != ListAhead {
			continue
		}
		at, ok := records[b.PCR]
		apart = apart || ok && at != b.Matched
		records[b.PCR] = b.Matched
	}
	all := len(r.Banks)
	switch {
	case count[Match] == all && len(r.Unproven) > 0:
		return Unproven, ""
	case count[Match] == all:
		return Match, ""
	case count[TPMReset] == all:
		return TPMReset, ""
	case count[TPMAhead] == all && r.Trimmed && !r.started:
		return TPMAhead, textTrimmed
	case count[TPMAhead] == all && partial:
		return TPMAhead, textPartial
	case count[TPMAhead] == all:
		return TPMAhead, textAhead
	case count[ListAhead]+count[Match] < all:
		if partial {
			return BankNotReplayable, "; banks disagree" + textPartial
		}
		return BankNotReplayable, "; banks disagree"
	case apart:
		// Every bank matches a shorter part of this list: the list grew
		// while the banks were read.
		return ListAhead, "; banks were read at different moments"
	}
	return ListAhead, ""
}

// bankTexts returns the texts of all banks, in the order of their registers.
func (r *Report) bankTexts() string {
	var b strings.Builder
	for i, bank := range r.Banks {
		switch {
		case i == 0:
			fmt.Fprintf(&b, "PCR %d: ", bank.PCR)
		case bank.PCR != r.Banks[i-1].PCR:
			fmt.Fprintf(&b, "; PCR %d: ", bank.PCR)
		default:
			b.WriteString(", ")
		}
		b.WriteString(bank.text(r.Records))
	}
	return b.String()
}

func (b Bank) text(records int) string {
	switch {
	case b.Verdict == Match:
		return fmt.Sprintf("%s match", b.Algorithm)
	case b.NeverExtended:
		return fmt.Sprintf("%s was never extended", b.Algorithm)
	case b.ResetBefore > 0:
		return fmt.Sprintf("%s matches from record %d on: the TPM was reset before it", b.Algorithm, b.ResetBefore)
	case b.Verdict == ListAhead:
		return fmt.Sprintf("%s matches after record %d of %d", b.Algorithm, b.Matched, records)
	}
	return fmt.Sprintf("%s no match", b.Algorithm)
}
