// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// split divides a list before a record.
func split(t testing.TB, data []byte, record int) (front, rest []byte) {
	t.Helper()
	tail, err := mustParse(t, data).Skip(record - 1)
	if err != nil {
		t.Fatal(err)
	}
	return data[:len(data)-len(tail.data)], tail.data
}

// TestCheckFrom divides a list at every record: the register after the first
// part is the start of the second.
func TestCheckFrom(t *testing.T) {
	data := slices.Concat(twoHops(binary.LittleEndian).data, twoHops(binary.LittleEndian).data)
	whole := mustParse(t, data)
	for bank, forms := range map[pcr.Algorithm][]Form{
		pcr.SHA1: {FormTrue}, pcr.SHA256: {FormTrue}, pcr.SHA384: {FormPadded}, pcr.SHA512: {FormOld, FormTrue, FormTrue, FormPadded},
	} {
		end := replayForms(whole, bank, forms...)
		for n := 1; n <= whole.Records()+1; n++ {
			front, rest := split(t, data, n)
			starts := []Register{{10, []pcr.Value{replayForms(mustParse(t, front), bank, forms...)}}}
			l := mustParse(t, rest)
			got := CheckFrom(l, starts, 10, []pcr.Value{end})
			if got.Verdict != Match || got.Banks[0].Start == "" || got.Banks[0].Replayed != got.Banks[0].Value {
				t.Errorf("%s from record %d on: %s, %s", bank, n, got.Verdict, got.Text)
			}
			if n <= 2 || n > whole.Records() {
				continue
			}
			if got := Check(l, 10, []pcr.Value{end}); got.Verdict == Match {
				t.Errorf("%s from record %d on matches without a start", bank, n)
			}
			if got := CheckFrom(l, []Register{{10, wrong(bank)}}, 10, []pcr.Value{end}); got.Verdict != TPMAhead && got.Verdict != TPMReset || strings.Contains(got.Text, "trimmed") {
				t.Errorf("%s from record %d on, wrong start: %s, %s", bank, n, got.Verdict, got.Text)
			}
		}
	}
}

// TestStarts: what happens to banks without a start, and to lists that add
// nothing.
func TestStarts(t *testing.T) {
	data := twoHops(binary.BigEndian).data
	front, rest := split(t, data, 4)
	at := func(b []byte, a pcr.Algorithm) pcr.Value { return chained(mustParse(t, b), 10, a) }
	one, two := at(data, pcr.SHA1), at(data, pcr.SHA256)
	var eleven []byte
	for r := range mustParse(t, rest).All {
		eleven = append(eleven, append([]byte{0, 0, 0, 11}, r.Raw[4:]...)...)
	}
	start := func(index int, values ...pcr.Value) []Register { return []Register{{index, values}} }
	for _, tt := range []struct {
		name   string
		list   []byte
		starts []Register
		want   Verdict
		text   string
		left   []BankName
	}{
		{"both", rest, start(10, at(front, pcr.SHA1), at(front, pcr.SHA256)), Match, "PCR 10: sha1 match, sha256 match", nil},
		{"one", rest, start(10, at(front, pcr.SHA256)), Match, "PCR 10: sha256 match; not compared, since no value to start from is known: sha1 of PCR 10", []BankName{{10, pcr.SHA1}}},
		{"of another bank", rest, start(10, at(front, pcr.SHA512)), NoTPM, "6 records are unproven; not compared, since no value", []BankName{{10, pcr.SHA1}, {10, pcr.SHA256}}},
		{"of another register", rest, start(11, at(front, pcr.SHA256)), NoTPM, "sha256 of PCR 10", []BankName{{10, pcr.SHA1}, {10, pcr.SHA256}}},
		{"records of another register", slices.Concat(rest, eleven), start(10, at(front, pcr.SHA1), at(front, pcr.SHA256)), Unproven, "6 of PCR 11, which was not compared", nil},
		{"nothing new", nil, start(10, one, two), Match, "sha256 match", nil},
		{"nothing new, but another PCR", nil, start(10, at(front, pcr.SHA1), two), BankNotReplayable, "banks disagree", nil},
		{"nothing, and no bank", nil, start(10, at(front, pcr.SHA512)), Empty, "the list is empty", nil},
		{"not extended since", rest, start(10, one, two), ListAhead, "sha1 matches after record 0 of 6", nil},
		{"zero", data, start(10, pcr.Value{Algorithm: pcr.SHA1, Value: make([]byte, 20)}), Match, "sha1 match", []BankName{{10, pcr.SHA256}}},
	} {
		got := CheckFrom(mustParse(t, tt.list), tt.starts, 10, []pcr.Value{one, two})
		if got.Verdict != tt.want || !strings.Contains(got.Text, tt.text) {
			t.Errorf("%s: %s, %q\nwant %s, %q", tt.name, got.Verdict, got.Text, tt.want, tt.text)
		}
		if diff := cmp.Diff(tt.left, got.NotCompared); diff != "" && len(tt.left)+len(got.NotCompared) > 0 {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestOverlaps: how many records of a list another one ends with, or holds.
func TestOverlaps(t *testing.T) {
	list := func(names string) *List {
		b := &builder{order: binary.LittleEndian}
		for _, name := range names {
			b.ng(string(name))
		}
		return mustParse(t, b.data)
	}
	for _, tt := range []struct {
		front, list string
		want        []int
	}{
		{"abc", "def", nil},
		{"abc", "cde", []int{1}},
		{"abcd", "bcde", []int{3}},
		{"abc", "abc", []int{3}},
		{"abcdef", "cd", []int{2}},
		{"abcdefc", "cd", []int{2, 1}},
		{"abab", "abab", []int{4, 2}},
		{"xab", "abab", []int{2}},
		{"ab", "abab", []int{2}},
		{"aaa", "aaaa", []int{3, 2, 1}},
		{"abcab", "abcabd", []int{5, 2}},
		{"abc", "bcx", []int{2}},
		{"", "abc", nil},
		{"abc", "", nil},
	} {
		front, l := list(tt.front), list(tt.list)
		got := Overlaps(front, l)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q and %q: %s", tt.front, tt.list, diff)
		}
		for _, n := range got {
			rest, err := l.Skip(n)
			if err != nil || !bytes.Equal(rest.Bytes(), list(tt.list[n:]).Bytes()) {
				t.Errorf("%q without %d records: %v", tt.list, n, err)
			}
		}
	}
	other, err := ParseDigestSize((&builder{order: binary.LittleEndian}).data, 32)
	if err != nil || Overlaps(other, list("a")) != nil {
		t.Error("lists of two banks overlap", err)
	}
}
