// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// allTrue returns the PCRs that a modern kernel leaves in all four banks.
func allTrue(l *List) []pcr.Value {
	var pcrs []pcr.Value
	for _, a := range pcr.Algorithms {
		pcrs = append(pcrs, replayForms(l, a, FormTrue))
	}
	return pcrs
}

func TestVerdicts(t *testing.T) {
	full := mustParse(t, twoHops(binary.LittleEndian).data)
	longer := twoHops(binary.LittleEndian)
	longer.ng("/bin/late")
	tampered := slices.Clone(full.Bytes())
	tampered[len(tampered)-2] ^= 1
	var third Record
	for r := range full.All {
		if r.Number == 3 {
			third = r
		}
	}
	trimmed := mustParse(t, full.Bytes()[third.Offset:])
	other := replayForms(mustParse(t, longer.data), pcr.SHA256, FormTrue)

	for _, tt := range []struct {
		name string
		list *List
		pcrs []pcr.Value
		want Verdict
		text string
	}{
		{"match", full, allTrue(full), Match, "PCR 10: sha1 match, sha256 match, sha384 match, sha512 match"},
		{"no TPM", full, nil, NoTPM, "PCR 10: no TPM, 9 records are unproven"},
		{"list ahead", mustParse(t, longer.data), allTrue(full)[:1], ListAhead, "PCR 10: sha1 matches after record 9 of 10"},
		{"never extended", full, []pcr.Value{{Algorithm: pcr.SHA1, Value: make([]byte, 20)}}, ListAhead, "PCR 10: sha1 matches after record 0 of 9"},
		{"TPM ahead", full, allTrue(mustParse(t, longer.data)), TPMAhead, "PCR 10: sha1 no match, sha256 no match, sha384 no match, sha512 no match; records are lost, something else extended the PCR, or it was read later than the list"},
		{"trimmed", trimmed, allTrue(full)[:1], TPMAhead, "PCR 10: sha1 no match; the first record is no boot_aggregate: the list is trimmed"},
		{"tampered", mustParse(t, tampered), allTrue(full), Tampered, "tampered at record 9: its template digest is not that of its data"},
		{"one bank", full, []pcr.Value{allTrue(full)[0], other}, BankNotReplayable, "PCR 10: sha1 match, sha256 no match; banks disagree"},
		{"banks at different records", mustParse(t, longer.data), []pcr.Value{allTrue(full)[0], other}, ListAhead, "PCR 10: sha1 matches after record 9 of 10, sha256 match; banks were read at different moments"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Check(tt.list, 10, tt.pcrs)
			if got.Verdict != tt.want || got.Text != tt.text {
				t.Errorf("verdict %s, %q\nwant    %s, %q", got.Verdict, got.Text, tt.want, tt.text)
			}
		})
	}
}

// TestForms: each kernel of a chain extends in its own form, and every
// combination is found.
func TestForms(t *testing.T) {
	l := mustParse(t, twoHops(binary.LittleEndian).data)
	for _, bank := range pcr.Algorithms[1:] {
		for _, first := range []Form{FormTrue, FormPadded} {
			for _, second := range []Form{FormTrue, FormPadded, FormOld} {
				report := Check(l, 10, []pcr.Value{replayForms(l, bank, first, second)})
				if report.Verdict != Match {
					t.Errorf("%s, %s then %s: %s", bank, first, second, report.Text)
					continue
				}
				if diff := cmp.Diff([]Form{first, second}, report.Banks[0].Forms); diff != "" {
					t.Errorf("%s: forms %s", bank, diff)
				}
			}
		}
	}
}

// TestManyHops: the search for forms is bounded, and finds an upgrade in the
// middle of a long chain.
func TestManyHops(t *testing.T) {
	b := &builder{order: binary.LittleEndian}
	for range 12 {
		b.ng("boot_aggregate")
		b.ng("/bin/x")
	}
	l := mustParse(t, b.data)
	value := replayForms(l, pcr.SHA512, FormPadded, FormPadded, FormTrue)
	if got := Check(l, 10, []pcr.Value{value}); got.Verdict != Match {
		t.Errorf("verdict %s", got.Text)
	}
	if got := Check(l, 10, []pcr.Value{{Algorithm: pcr.SHA512, Value: make([]byte, 63)}}); got.Verdict != TPMAhead {
		t.Errorf("verdict %s for no PCR of this list", got.Text)
	}
}

// TestOtherPCRs: records of other registers do not belong to the chain, and one
// at the end does not put the list ahead of the PCR. Only their own register
// proves them.
func TestOtherPCRs(t *testing.T) {
	b := twoHops(binary.LittleEndian)
	pcrs := allTrue(mustParse(t, b.data))[:2]
	b.raw(11, nil, "ima-ng", b.ngData("sha1", make([]byte, 20), "/other"))
	b.raw(12, nil, "ima-ng", b.ngData("sha1", make([]byte, 20), "/another"))
	l := mustParse(t, b.data)
	eleven := Register{11, []pcr.Value{chained(l, 11, pcr.SHA256)}}
	twelve := Register{12, []pcr.Value{chained(l, 12, pcr.SHA256)}}
	wrong := Register{12, []pcr.Value{chained(l, 11, pcr.SHA256)}}
	unused := Register{13, []pcr.Value{chained(l, 11, pcr.SHA256)}}
	const ten = "PCR 10: sha1 match, sha256 match"
	for _, tt := range []struct {
		name   string
		pcrs   []pcr.Value
		others []Register
		want   Verdict
		text   string
		proves int
	}{
		{"not compared", pcrs, nil, Unproven, ten + "; 2 of 11 records are unproven: 1 of PCR 11, which was not compared, 1 of PCR 12, which was not compared", 9},
		{"one compared", pcrs, []Register{twelve}, Unproven, ten + "; PCR 12: sha256 match; 1 of 11 records are unproven: 1 of PCR 11, which was not compared", 10},
		{"all compared", pcrs, []Register{eleven, twelve, unused}, Match, ten + "; PCR 11: sha256 match; PCR 12: sha256 match", 11},
		{"one wrong", pcrs, []Register{eleven, wrong}, BankNotReplayable, ten + "; PCR 11: sha256 match; PCR 12: sha256 no match; banks disagree", 0},
		{"no TPM", nil, nil, NoTPM, "PCR 10: no TPM, 11 records are unproven", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Check(l, 10, tt.pcrs, tt.others...)
			if got.Verdict != tt.want || got.Text != tt.text {
				t.Errorf("verdict %s, %q\nwant    %s, %q", got.Verdict, got.Text, tt.want, tt.text)
			}
			n := 0
			for r := range l.All {
				if got.Proves(l, &r) {
					n++
				}
			}
			if n != tt.proves {
				t.Errorf("%d records are proven, want %d", n, tt.proves)
			}
		})
	}
}

func TestHops(t *testing.T) {
	got := Check(mustParse(t, twoHops(binary.BigEndian).data), 10, nil).Hops
	for i := range got {
		if !strings.HasPrefix(got[i].BootAggregate, "sha256:") {
			t.Errorf("hop %d: boot_aggregate %q", i+1, got[i].BootAggregate)
		}
		got[i].BootAggregate = ""
	}
	want := []Hop{{First: 1, Records: 6}, {First: 7, Offset: 591, Records: 3, Violations: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestEveryBit: no single bit of a list can change unnoticed, except where no
// digest covers it: in template names, and in all of a violation but its PCR
// and digest.
func TestEveryBit(t *testing.T) {
	l := mustParse(t, twoHops(binary.LittleEndian).data)
	pcrs := allTrue(l)[:2]
	uncovered := map[int]bool{}
	for r := range l.All {
		for i := range r.Name {
			uncovered[r.Offset+4+sha1Size+4+i] = true
		}
		for i := 4 + sha1Size; r.Violation() && i < len(r.Raw); i++ {
			uncovered[r.Offset+i] = true
		}
	}
	for i := range l.Bytes() {
		for bit := range 8 {
			b := slices.Clone(l.Bytes())
			b[i] ^= 1 << bit
			changed, err := Parse(b)
			if err != nil {
				continue
			}
			if got := Check(changed, 10, pcrs); got.Verdict == Match && !uncovered[i] {
				t.Errorf("byte %d, bit %d: %s", i, bit, got.Text)
			}
		}
	}
}

// TestHopKernel: a kernel that measures critical data names its release.
func TestHopKernel(t *testing.T) {
	b := &builder{order: binary.BigEndian}
	b.ng("boot_aggregate")
	b.ng("boot_aggregate")
	buf := func(name, content string) []byte {
		return append(b.ngData("sha256", make([]byte, 32), name), b.field([]byte(content))...)
	}
	b.raw(10, nil, "ima-buf", buf("kexec_load", "x"))
	b.raw(10, nil, "ima-buf", buf("kernel_version", "7.2.12"))
	b.raw(10, nil, "ima-buf", buf("kernel_version", "later"))
	var got []string
	for _, h := range Check(mustParse(t, b.data), 10, nil).Hops {
		got = append(got, h.Kernel)
	}
	if diff := cmp.Diff([]string{"", "7.2.12"}, got); diff != "" {
		t.Error(diff)
	}
}
