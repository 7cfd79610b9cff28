// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/hex"
	"slices"
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
	// Unproven: all that was compared matches, but not all records were.
	Unproven = Verdict(refusal.UnprovenRecords)
	// TPMReset: the PCR is that of the last kernels alone.
	TPMReset = Verdict(refusal.TPMReset)
	// Empty: there is no record.
	Empty = Verdict(refusal.DamagedList)
)

// CanGo reports whether a list with this verdict may be carried.
func (v Verdict) CanGo() bool { return v == Match || v == NoTPM || v == Unproven }

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
	// UnknownDigests: the template digests are of a hash that cannot be
	// computed here. They were not checked; replays do not use them.
	UnknownDigests bool `json:"unknown_digests,omitempty"`
	// Trimmed: the first record is no boot_aggregate.
	Trimmed bool   `json:"trimmed,omitempty"`
	Hops    []Hop  `json:"hops"`
	Banks   []Bank `json:"banks"`
	// Unproven are the records that no PCR was compared with, if any was.
	Unproven []Gap `json:"unproven,omitempty"`
}

// A Register is a PCR of a TPM.
type Register struct {
	Index int
	// Values has one for each bank.
	Values []pcr.Value
}

// A Bank is one bank's part of a report.
type Bank struct {
	PCR       int           `json:"pcr"`
	Algorithm pcr.Algorithm `json:"algorithm"`
	Verdict   Verdict       `json:"verdict"`
	// Matched is the record after which the replay was equal to the PCR.
	Matched int `json:"matched_record"`
	// Forms are what each hop's kernel extends into this bank.
	Forms []Form `json:"forms"`
	// NeverExtended: the PCR is zero, although another bank's is not.
	NeverExtended bool `json:"never_extended,omitempty"`
	// ResetBefore is the first record of those that the PCR stands for, if
	// that is not the first of the list: the register was reset before it.
	ResetBefore int `json:"reset_before_record,omitempty"`
	// Partial: the PCR was not found, but there are too many combinations of
	// what the kernels may have extended to try all.
	Partial bool `json:"partial_search,omitempty"`
	// Value and Replayed are the PCR and the replay of the whole list.
	Value    string `json:"value"`
	Replayed string `json:"replayed"`
}

// Check compares every template digest with its data, and the replay of each
// bank with its PCR. index is the number of the PCR. Other registers are
// compared as well if the list has records of them.
func Check(l *List, index int, pcrs []pcr.Value, others ...Register) *Report {
	r, _ := check(l, append([]Register{{index, pcrs}}, others...), func() (*List, error) { return l, nil })
	return r
}

// ParseAndCheck is Parse and Check of a list at the same time: replays begin
// while it is parsed.
func ParseAndCheck(data []byte, index int, pcrs []pcr.Value, others ...Register) (*List, *Report, error) {
	var l *List
	rough := &List{data: data, digest: sha1Size, order: detectOrder(data, sha1Size)}
	r, err := check(rough, append([]Register{{index, pcrs}}, others...), func() (_ *List, err error) {
		l, err = Parse(data)
		return l, err
	})
	return l, r, err
}

// check replays rough, of which nothing but the bytes are known, while parse
// makes a list of it.
func check(rough *List, registers []Register, parse func() (*List, error)) (*Report, error) {
	// A chain of extends cannot be divided, but banks are independent. The
	// SHA-1 bank hashes what the check of the digests needs anyway.
	var wg sync.WaitGroup
	var checker *run
	var runs []*run
	for _, reg := range registers {
		for _, p := range reg.Values {
			x := newRun(rough, reg.Index, p.Algorithm, p.Value)
			if p.Algorithm == pcr.SHA1 && rough.digest == sha1Size && checker == nil {
				checker, x.checks = x, true
			}
			runs = append(runs, x)
			if x != checker {
				wg.Go(x.begin)
			}
		}
	}
	// The checker is the fastest of the banks: it can wait for the parser.
	tampered, unknown := 0, false
	if checker == nil {
		wg.Go(func() { tampered, unknown = firstTampered(rough) })
	}
	l, err := parse()
	if checker != nil && err == nil {
		checker.begin()
	}
	wg.Wait()
	if err != nil {
		return nil, err
	}
	index := registers[0].Index
	runs = slices.DeleteFunc(runs, func(x *run) bool { return x.index != uint32(index) && l.count[x.index] == 0 })
	report := &Report{
		PCR: index, Records: l.Records(), Bytes: len(l.data), Tampered: tampered, UnknownDigests: unknown,
		Violations: l.Violations(), Trimmed: l.Trimmed(), Hops: slices.Clone(l.hops),
		Banks: make([]Bank, len(runs)),
	}
	for i, x := range runs {
		x.list = l
		wg.Go(func() { report.Banks[i] = x.report() })
	}
	wg.Wait()
	found := slices.Clone(report.Banks)
	for i, x := range runs {
		if found[i].Partial && x.learn(found) {
			wg.Go(func() { report.Banks[i] = x.report() })
		}
	}
	wg.Wait()
	if checker != nil {
		report.Tampered = checker.tampered
	}
	report.findGaps(l)
	report.judge()
	return report, nil
}

// learn takes from another bank which kernels extended nothing: they do so in
// all banks. It reports whether there was anything to learn.
func (x *run) learn(banks []Bank) bool {
	for _, b := range banks {
		if b.PCR == int(x.index) && (b.Verdict == Match || b.Verdict == ListAhead) && slices.Contains(b.Forms, FormNone) {
			x.quiet = make([]bool, len(b.Forms))
			for i, form := range b.Forms {
				x.quiet[i] = form == FormNone
			}
			return true
		}
	}
	return false
}

func (x *run) report() Bank {
	got := x.replay()
	b := Bank{
		PCR: int(x.index), Algorithm: x.bank, Matched: got.matched, Forms: got.forms, Partial: got.partial,
		Value: hex.EncodeToString(x.want), Replayed: hex.EncodeToString(got.value),
	}
	switch {
	case got.matched < 0:
		b.Verdict, b.Matched = TPMAhead, 0
	case got.reset > 0:
		b.Verdict, b.ResetBefore = TPMReset, x.list.hops[got.reset-1].First
	case got.matched < x.list.last[x.index]:
		b.Verdict = ListAhead
	default:
		b.Verdict = Match
	}
	return b
}
