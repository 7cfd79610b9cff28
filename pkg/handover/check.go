// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/hex"
	"slices"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// A Verdict is the result of comparing a list with the TPM: match, or the name
// of a refusal.
type Verdict string

// Verdicts, as they appear in reports.
const (
	// Match means that every bank replays to its PCR.
	Match = Verdict(refusal.Match)
	// NoTPM means that there is no PCR to compare with.
	NoTPM = Verdict(refusal.NoTPM)
	// ListAhead means that the PCR is that of a shorter list. The kernel
	// appends a record before it extends it, so this state may pass.
	ListAhead = Verdict(refusal.ListAhead)
	// TPMAhead means that records were lost or deleted, or that something
	// else extended the PCR.
	TPMAhead = Verdict(refusal.TPMAhead)
	// Tampered means that a record's digest does not match its data.
	Tampered = Verdict(refusal.Tampered)
	// BankNotReplayable means that one bank matches and another does not.
	BankNotReplayable = Verdict(refusal.BankNotReplayable)
	// Unproven means that everything that was compared matches, but that
	// some records could not be compared.
	Unproven = Verdict(refusal.UnprovenRecords)
	// TPMReset means that the PCR covers the records of the last kernels
	// only.
	TPMReset = Verdict(refusal.TPMReset)
	// Empty means that the list has no record.
	Empty = Verdict(refusal.DamagedList)
)

// CanGo reports whether a list with this verdict may be carried.
func (v Verdict) CanGo() bool { return v == Match || v == NoTPM || v == Unproven }

// A Report is the result of Check.
type Report struct {
	Verdict Verdict `json:"verdict"`
	// Text is the verdict for people, in one line.
	Text       string `json:"text"`
	PCR        int    `json:"pcr"`
	Records    int    `json:"records"`
	Bytes      int    `json:"bytes"`
	Violations int    `json:"violations"`
	// Tampered is the number of the first record with a wrong digest, or 0.
	Tampered int `json:"tampered_record,omitempty"`
	// UnknownDigests is set if the template digests use a hash that imaboot
	// cannot compute. They were not checked; replays do not use them.
	UnknownDigests bool `json:"unknown_digests,omitempty"`
	// UnknownBanks are banks of the TPM, or banks that were given, that
	// imaboot cannot replay. See Report.Leave.
	UnknownBanks []string `json:"unknown_banks,omitempty"`
	// Trimmed is what List.Trimmed reports.
	Trimmed bool   `json:"trimmed,omitempty"`
	Hops    []Hop  `json:"hops"`
	Banks   []Bank `json:"banks"`
	// Unproven lists the records that no PCR proves. It is empty if there
	// was no PCR at all.
	Unproven []Gap `json:"unproven,omitempty"`
	// NotCompared lists the banks that CheckFrom has no start for.
	NotCompared []BankName `json:"not_compared,omitempty"`

	started bool // by CheckFrom
}

// A Register is a PCR of a TPM.
type Register struct {
	Index int
	// Values has one value for each bank.
	Values []pcr.Value
}

// A Bank is the part of a report about one bank.
type Bank struct {
	PCR       int           `json:"pcr"`
	Algorithm pcr.Algorithm `json:"algorithm"`
	Verdict   Verdict       `json:"verdict"`
	// Matched is the number of the record after which the replay equalled
	// the PCR, or 0.
	Matched int `json:"matched_record"`
	// Forms says, for each hop, in which form its kernel extended this
	// bank.
	Forms []Form `json:"forms"`
	// NeverExtended means that the PCR is zero although another bank's is
	// not.
	NeverExtended bool `json:"never_extended,omitempty"`
	// ResetBefore is the number of the first record that the PCR covers, if
	// the register was reset before that record; otherwise it is 0.
	ResetBefore int `json:"reset_before_record,omitempty"`
	// Partial means that the PCR was not found, but that there are too many
	// combinations of forms to try all of them.
	Partial bool `json:"partial_search,omitempty"`
	// Start is the value that the replay began with, unless it was zero.
	Start string `json:"start,omitempty"`
	// Value is the PCR, and Replayed the replay of the whole list, in
	// hexadecimal.
	Value    string `json:"value"`
	Replayed string `json:"replayed"`
}

// Check compares every template digest with its data, and the replay of each
// bank with its PCR. index is the number of the PCR. Check also compares the
// other registers if the list has records for them, and DefaultPCR in any case: a
// list that was moved to another register does not explain it. A register that
// software can reset proves nothing, and is not compared.
func Check(l *List, index int, pcrs []pcr.Value, others ...Register) *Report {
	return CheckHint(l, nil, index, pcrs, others...)
}

// CheckHint is Check with a hint on what the kernels extended. Where the kernels
// extended different forms without a pattern, it can prove a list whose
// combinations of forms are too many to try.
func CheckHint(l *List, hint Hint, index int, pcrs []pcr.Value, others ...Register) *Report {
	r, _ := check(l, hint, append([]Register{{index, pcrs}}, others...), func() (*List, error) { return l, nil })
	return r
}

// ParseAndCheck does the work of Parse and Check at the same time: replays
// begin while the list is still being parsed. Its errors are those of Parse.
//
// data may be a mapped file. Then passed, unless it is nil, is called with the range
// of bytes of each part of data that was read, now and in later use of the list,
// from several goroutines; some parts are read again. passed may take the part out
// of memory, as long as reading it again works. A fault of the mapping is a panic in
// the caller's goroutine, if that has called debug.SetPanicOnFault.
func ParseAndCheck(data []byte, passed func(from, to int), index int, pcrs []pcr.Value, others ...Register) (*List, *Report, error) {
	rough, l := newList(data, sha1Size), newList(data, sha1Size)
	rough.passed, l.passed = passed, passed
	r, err := check(rough, nil, append([]Register{{index, pcrs}}, others...), func() (*List, error) { return l, l.parse() })
	if err != nil {
		return nil, nil, err
	}
	return l, r, nil
}

// check replays rough, of which only the bytes are known, while parse makes a
// list of them.
func check(rough *List, hint Hint, registers []Register, parse func() (*List, error)) (*Report, error) {
	return checkFrom(rough, nil, hint, registers, parse)
}

// checkFrom does what check does. If there are starts, replays begin with them.
func checkFrom(rough *List, starts []Register, hint Hint, registers []Register, parse func() (*List, error)) (*Report, error) {
	// A chain of extends cannot be divided, but banks are independent. The
	// SHA-1 bank computes the hashes that the check of the digests needs.
	var wg group
	var checker *run
	var runs []*run
	var left []BankName
	for _, reg := range registers {
		for _, p := range reg.Values {
			x := newRun(rough, reg.Index, p.Algorithm, p.Value)
			if x.start = startOf(starts, reg.Index, p.Algorithm); x.start == nil && starts != nil {
				left = append(left, BankName{reg.Index, p.Algorithm})
				continue
			}
			if p.Algorithm == pcr.SHA1 && rough.digest == sha1Size && checker == nil {
				checker, x.checks = x, true
			}
			runs = append(runs, x)
			if x != checker {
				wg.Go(x.begin)
			}
		}
	}
	// The checker's bank is the fastest one, so it can wait for the parser.
	tampered, unknown := 0, false
	if checker == nil {
		wg.Go(func() { tampered, unknown = firstTampered(rough) })
	}
	var l *List
	var err error
	wg.Go(func() {
		if l, err = parse(); checker != nil && err == nil {
			checker.begin()
		}
	})
	wg.Wait()
	if err != nil {
		return nil, err
	}
	index := registers[0].Index
	runs = slices.DeleteFunc(runs, func(x *run) bool {
		unused := x.index != uint32(index) && x.index != DefaultPCR && l.count[x.index] == 0
		return unused || x.index > lastProving
	})
	report := &Report{
		PCR: index, Records: l.Records(), Bytes: len(l.data), Tampered: tampered, UnknownDigests: unknown,
		Violations: l.Violations(), Trimmed: l.Trimmed(), Hops: slices.Clone(l.hops),
		Banks: make([]Bank, len(runs)), started: starts != nil,
	}
	report.NotCompared = slices.DeleteFunc(left, func(b BankName) bool { return l.count[b.PCR] == 0 })
	for i, x := range runs {
		x.list, x.hint = l, hint.forms(x.bank, len(l.hops))
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

// learn finds out from the other banks which kernels extended nothing, because
// such a kernel extends nothing in any bank. It reports whether it learned
// anything.
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
		Start: hex.EncodeToString(x.start), Value: hex.EncodeToString(x.want), Replayed: hex.EncodeToString(got.value),
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
