// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// A Verdict is what comparing a list with the TPM showed: match, or the name of
// a refusal.
type Verdict string

// Verdicts, as they stand in reports.
const (
	// Match: every bank replays to its PCR.
	Match = Verdict(refusal.Match)
	// NoTPM: there is no PCR to compare with.
	NoTPM = Verdict(refusal.NoTPM)
	// ListAhead: the PCR is that of a shorter list. A record is appended
	// before it is extended, so that this may pass.
	ListAhead = Verdict(refusal.ListAhead)
	// TPMAhead: records were lost or deleted, or something else extended
	// the PCR.
	TPMAhead = Verdict(refusal.TPMAhead)
	// Tampered: a record's digest is not that of its data.
	Tampered = Verdict(refusal.Tampered)
	// BankNotReplayable: one bank matches and another does not.
	BankNotReplayable = Verdict(refusal.BankNotReplayable)
)

// CanGo reports whether a list with this verdict may be carried.
func (v Verdict) CanGo() bool { return v == Match || v == NoTPM }

// A Report is the result of Check.
type Report struct {
	Verdict Verdict `json:"verdict"`
	// Text is the verdict for people, one line.
	Text       string `json:"text"`
	PCR        int    `json:"pcr"`
	Records    int    `json:"records"`
	Bytes      int    `json:"bytes"`
	Violations int    `json:"violations"`
	// Tampered is the first record with a wrong digest.
	Tampered int `json:"tampered_record,omitempty"`
	// Trimmed: the first record is no boot_aggregate.
	Trimmed bool   `json:"trimmed,omitempty"`
	Hops    []Hop  `json:"hops"`
	Banks   []Bank `json:"banks"`
}

// A Hop is the part of the list that one kernel measured.
type Hop struct {
	First int `json:"first_record"`
	// Offset is that of the first record, in bytes.
	Offset        int    `json:"offset"`
	Records       int    `json:"records"`
	Violations    int    `json:"violations"`
	BootAggregate string `json:"boot_aggregate,omitempty"`
	// Kernel is the release of the kernel, where it measured that: with
	// rules for critical data (ima_init.c, kernel_version).
	Kernel string `json:"kernel,omitempty"`
}

// A Bank is one bank's part of a report.
type Bank struct {
	Algorithm pcr.Algorithm `json:"algorithm"`
	Verdict   Verdict       `json:"verdict"`
	// Matched is the record after which the replay was equal to the PCR.
	Matched int `json:"matched_record"`
	// Forms are what each hop's kernel extends into this bank.
	Forms []Form `json:"forms"`
	// Value and Replayed are the PCR and the replay of the whole list.
	Value    string `json:"value"`
	Replayed string `json:"replayed"`
}

// Check compares every template digest with its data, and the replay of each
// bank with its PCR. index is the number of the PCR.
func Check(l *List, index int, pcrs []pcr.Value) *Report {
	r, _ := check(l, index, pcrs, func() (*List, error) { return l, nil })
	return r
}

// ParseAndCheck is Parse and Check of a list at the same time: replays begin
// while it is parsed.
func ParseAndCheck(data []byte, index int, pcrs []pcr.Value) (*List, *Report, error) {
	var l *List
	rough := &List{data: data, digest: sha1Size, order: detectOrder(data, sha1Size)}
	r, err := check(rough, index, pcrs, func() (_ *List, err error) {
		l, err = Parse(data)
		return l, err
	})
	return l, r, err
}

// check replays rough, of which nothing but the bytes are known, while parse
// makes a list of it.
func check(rough *List, index int, pcrs []pcr.Value, parse func() (*List, error)) (*Report, error) {
	// A chain of extends cannot be divided, but banks are independent. The
	// SHA-1 bank hashes what the check of the digests needs anyway.
	var wg sync.WaitGroup
	var checker *run
	runs := make([]*run, len(pcrs))
	for i, p := range pcrs {
		x := newRun(rough, index, p.Algorithm, p.Value)
		if p.Algorithm == pcr.SHA1 && rough.digest == sha1Size && checker == nil {
			checker, x.checks = x, true
		}
		runs[i] = x
		if x != checker {
			wg.Go(x.begin)
		}
	}
	// The checker is the fastest of the banks: it can wait for the parser.
	tampered := 0
	if checker == nil {
		wg.Go(func() { tampered = firstTampered(rough) })
	}
	l, err := parse()
	if checker != nil && err == nil {
		checker.begin()
	}
	wg.Wait()
	if err != nil {
		return nil, err
	}
	report := &Report{
		PCR: index, Records: l.Records(), Bytes: len(l.data), Tampered: tampered,
		Violations: l.Violations(), Trimmed: l.Trimmed(), Hops: slices.Clone(l.hops),
		Banks: make([]Bank, len(pcrs)),
	}
	for i, x := range runs {
		x.list = l
		wg.Go(func() { report.Banks[i] = x.report() })
	}
	wg.Wait()
	if checker != nil {
		report.Tampered = checker.tampered
	}
	report.judge()
	return report, nil
}

func (x *run) report() Bank {
	got := x.replay()
	n := x.bank.Size()
	b := Bank{
		Algorithm: x.bank, Matched: got.matched, Forms: got.forms,
		Value: hex.EncodeToString(x.want), Replayed: hex.EncodeToString(got.pcr[:n]),
	}
	switch {
	case got.matched < 0:
		b.Verdict, b.Matched = TPMAhead, 0
	case got.matched < x.list.last[x.index]:
		b.Verdict = ListAhead
	default:
		b.Verdict = Match
	}
	return b
}

// judge makes one verdict of those of the banks.
func (r *Report) judge() {
	var texts []string
	count := map[Verdict]int{}
	records := map[int]bool{}
	for _, b := range r.Banks {
		count[b.Verdict]++
		if b.Verdict != TPMAhead {
			records[b.Matched] = true
		}
		texts = append(texts, b.text(r.Records))
	}
	banks := fmt.Sprintf("PCR %d: %s", r.PCR, strings.Join(texts, ", "))
	switch {
	case r.Tampered > 0:
		r.Verdict, r.Text = Tampered, fmt.Sprintf("tampered at record %d: its template digest is not that of its data", r.Tampered)
	case len(r.Banks) == 0:
		r.Verdict, r.Text = NoTPM, fmt.Sprintf("PCR %d: no TPM, %d records are unproven", r.PCR, r.Records)
	case count[Match] == len(r.Banks):
		r.Verdict, r.Text = Match, banks
	case count[TPMAhead] == len(r.Banks):
		why := "; records are lost, or something else extended the PCR"
		if r.Trimmed {
			why = "; the first record is no boot_aggregate: the list is trimmed"
		}
		r.Verdict, r.Text = TPMAhead, banks+why
	case count[TPMAhead] > 0:
		r.Verdict, r.Text = BankNotReplayable, banks+"; banks disagree"
	case len(records) > 1:
		// Each is a PCR of this list, read while it grew.
		r.Verdict, r.Text = ListAhead, banks+"; banks were read at different moments"
	default:
		r.Verdict, r.Text = ListAhead, banks
	}
}

func (b Bank) text(records int) string {
	switch b.Verdict {
	case Match:
		return fmt.Sprintf("%s match", b.Algorithm)
	case ListAhead:
		return fmt.Sprintf("%s matches after record %d of %d", b.Algorithm, b.Matched, records)
	}
	return fmt.Sprintf("%s no match", b.Algorithm)
}

// fileDigest is the first field as text, which is the digest of what was
// measured in every built-in template.
func (r *Record) fileDigest() string {
	all, err := r.Fields()
	if err != nil || len(all) == 0 {
		return ""
	}
	return r.text(all[0])
}
