// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// withoutOrder is a chain of kernels, of which each extends one of two forms.
func withoutOrder(t testing.TB, hops, records int) (*List, []Form) {
	random := rand.New(rand.NewPCG(1, uint64(hops)))
	forms := make([]Form, hops)
	for i := range forms {
		forms[i] = []Form{FormTrue, FormPadded}[random.IntN(2)]
	}
	return mustParse(t, chain(hops, records, true).data), forms
}

// before returns the list up to a hop.
func (l *List) before(t testing.TB, hop int) *List {
	if hop == len(l.hops) {
		return l
	}
	return mustParse(t, l.data[:l.hops[hop].Offset])
}

// TestHintInEachHop: each stage of a long chain tells the next what it found. Without
// that, the chain has too many combinations.
func TestHintInEachHop(t *testing.T) {
	whole, forms := withoutOrder(t, 60, 20)
	var hint Hint
	for hop := 1; hop <= len(forms); hop++ {
		l := whole.before(t, hop)
		value := replayForms(l, pcr.SHA384, forms[:hop]...)
		got := CheckHint(l, hint, 10, []pcr.Value{value})
		if got.Verdict != Match {
			t.Fatalf("hop %d: %s", hop, got.Text)
		}
		if diff := cmp.Diff(forms[:hop], got.Banks[0].Forms); diff != "" {
			t.Fatalf("hop %d: %s", hop, diff)
		}
		hint = got.Hint()
	}
	value := []pcr.Value{replayForms(whole, pcr.SHA384, forms...)}
	if got := Check(whole, 10, value); got.Verdict != TPMAhead || !got.Banks[0].Partial {
		t.Errorf("without hints: %s", got.Text)
	}
	// It also tells that the list is ahead.
	for r := range whole.All {
		if r.Number == whole.Records()-3 {
			early := replayForms(mustParse(t, whole.data[:r.Offset+len(r.Raw)]), pcr.SHA384, forms...)
			if got := CheckHint(whole, hint, 10, []pcr.Value{early}); got.Verdict != ListAhead || got.Banks[0].Matched != r.Number {
				t.Errorf("a PCR of record %d: %s", r.Number, got.Text)
			}
		}
	}
}

// TestBadHints: what makes no sense is passed over.
func TestBadHints(t *testing.T) {
	b := &builder{order: binary.LittleEndian}
	b.ng("boot_aggregate")
	b.zeroAggregate()
	b.ng("boot_aggregate") // which may be a file of the same kernel
	l := mustParse(t, b.data)
	for _, tt := range []struct {
		text     string
		forms    []Form
		possible bool
	}{
		{"2t1p", []Form{FormTrue, FormTrue, FormPadded}, true},
		{"1o2n", []Form{FormOld, FormNone, FormNone}, false}, // the third is a kernel for sure
		{"1p1n", []Form{FormPadded, FormNone}, true},
		{"1n", []Form{FormNone}, false},
		{"4t", nil, false},
		{"2t2t", nil, false},
		{"", nil, true},
		{"0t", nil, true},
		{"-1t", nil, true},
		{"t", nil, true},
		{"3", nil, true},
		{"3x", nil, true},
		{"99999999999999999999t", nil, true},
	} {
		x := newRun(l, 10, pcr.SHA256, make([]byte, 32))
		got := Hint{pcr.SHA256: tt.text}.forms(pcr.SHA256, len(l.hops))
		if diff := cmp.Diff(tt.forms, got); diff != "" {
			t.Errorf("%q: %s", tt.text, diff)
		}
		if got != nil && (x.possible(got) != tt.possible || formText(got) != tt.text) {
			t.Errorf("%q: possible: %v", tt.text, x.possible(got))
		}
	}
	if x := newRun(l, 10, pcr.SHA1, make([]byte, 20)); x.possible([]Form{FormPadded}) || !x.possible([]Form{FormTrue, FormNone}) {
		t.Error("SHA-1 is padded")
	}
	// A hint is bounded, and left out if it tells nothing.
	many, forms := withoutOrder(t, 10000, 1)
	report := &Report{PCR: 10, Banks: []Bank{
		{PCR: 10, Algorithm: pcr.SHA512, Verdict: Match, Forms: forms},
		{PCR: 10, Algorithm: pcr.SHA1, Verdict: Match, Forms: repeat(FormTrue, many.Records())},
		{PCR: 10, Algorithm: pcr.SHA256, Verdict: TPMAhead, Forms: forms[:8]},
		{PCR: 11, Algorithm: pcr.SHA256, Verdict: Match, Forms: forms[:8]},
	}}
	if got := report.Hint(); got != nil {
		t.Errorf("%v", got)
	}
	report.Banks[0].Forms = slices.Concat(repeat(FormPadded, 5000), repeat(FormTrue, 5000))
	if diff := cmp.Diff(Hint{pcr.SHA512: "5000p5000t"}, report.Hint()); diff != "" {
		t.Error(diff)
	}
}

// FuzzHint: any text is a hint, and none makes a wrong PCR a right one.
func FuzzHint(f *testing.F) {
	for _, text := range []string{"2t1p", "1p1n1p", "3o", "99999999999999999999t", "1", "t"} {
		f.Add(text)
	}
	b := &builder{order: binary.LittleEndian}
	b.ng("boot_aggregate")
	b.zeroAggregate()
	b.violation("/var/log")
	b.ng("boot_aggregate")
	l := mustParse(f, b.data)
	f.Fuzz(func(t *testing.T, text string) {
		forms := Hint{pcr.SHA256: text}.forms(pcr.SHA256, len(l.hops))
		if len(forms) > len(l.hops) || strings.Contains(text, "x") && forms != nil {
			t.Errorf("%d forms", len(forms))
		}
		if got := CheckHint(l, Hint{pcr.SHA256: text}, 10, wrong(pcr.SHA256)); got.Verdict != TPMAhead {
			t.Error(got.Text)
		}
		right := []pcr.Value{replayForms(l, pcr.SHA256, FormTrue)}
		if got := CheckHint(l, Hint{pcr.SHA256: text}, 10, right); got.Verdict != Match {
			t.Error(got.Text)
		}
	})
}

// BenchmarkNoOrder verifies 60 hops without order, with and without a hint of the
// hop before. Without one no match is found.
func BenchmarkNoOrder(b *testing.B) {
	l, forms := withoutOrder(b, 60, 1000)
	value := []pcr.Value{replayForms(l, pcr.SHA384, forms...)}
	for name, hint := range map[string]Hint{"hint": {pcr.SHA384: formText(forms[:59])}, "no hint": nil} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got := CheckHint(l, hint, 10, value); (got.Verdict == Match) != (hint != nil) {
					b.Fatal(got.Text)
				}
			}
		})
	}
}
