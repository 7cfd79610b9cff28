// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// zeroAggregate adds the first record of a kernel that finds no TPM.
func (b *builder) zeroAggregate() {
	b.raw(10, nil, "ima-ng", b.ngData("sha256", make([]byte, 32), "boot_aggregate"))
}

// after returns a register after the records of some lists, in their order.
func after(t *testing.T, bank pcr.Algorithm, lists ...[]byte) pcr.Value {
	t.Helper()
	return chained(mustParse(t, slices.Concat(lists...)), 10, bank)
}

// TestOddWorlds: verdicts that are neither a match nor a loss.
func TestOddWorlds(t *testing.T) {
	first, silent, last := &builder{order: binary.LittleEndian}, &builder{order: binary.LittleEndian}, &builder{order: binary.LittleEndian}
	first.ng("boot_aggregate")
	first.ng("/init")
	silent.zeroAggregate()
	silent.ng("/usr/bin/unproven")
	silent.violation("/var/log/unproven")
	last.raw(10, nil, "ima-ng", last.ngData("sha256", pcr.SHA256.Sum(nil), "boot_aggregate"))
	last.ng("/usr/bin/last")
	zero := func(a pcr.Algorithm) pcr.Value { return pcr.Value{Algorithm: a, Value: make([]byte, a.Size())} }
	eleven := func() []byte {
		b := &builder{order: binary.LittleEndian}
		b.raw(11, nil, "ima-ng", b.ngData("sha1", make([]byte, 20), "boot_aggregate"))
		return b.data
	}()
	var withoutFirst []byte
	for r := range mustParse(t, first.data).All {
		if r.Number > 1 {
			withoutFirst = append(withoutFirst, r.Raw...)
		}
	}
	for _, tt := range []struct {
		name string
		list []byte
		pcrs []pcr.Value
		want Verdict
		text string
	}{
		{"no kernel has a TPM", silent.data, []pcr.Value{zero(pcr.SHA1), zero(pcr.SHA256)}, Unproven, "3 of 3 records are unproven: 3 of hop 1, whose kernel started IMA without a TPM"},
		{"the last has none", slices.Concat(first.data, silent.data), []pcr.Value{after(t, pcr.SHA256, first.data)}, Unproven, "3 of 5 records are unproven: 3 of hop 2"},
		{"one in the middle has none", slices.Concat(first.data, silent.data, last.data), []pcr.Value{after(t, pcr.SHA1, first.data, last.data), after(t, pcr.SHA512, first.data, last.data)}, Unproven, "PCR 10: sha1 match, sha512 match; 3 of 7 records are unproven: 3 of hop 2"},
		{"a zero boot_aggregate, and it extends", slices.Concat(first.data, silent.data, last.data), []pcr.Value{after(t, pcr.SHA384, first.data, silent.data, last.data)}, Match, "sha384 match"},
		{"a TPM that was reset", slices.Concat(first.data, last.data), []pcr.Value{after(t, pcr.SHA1, last.data), after(t, pcr.SHA256, last.data)}, TPMReset, "sha256 matches from record 3 on: the TPM was reset before it"},
		{"a bank that was never extended", first.data, []pcr.Value{after(t, pcr.SHA1, first.data), zero(pcr.SHA256)}, BankNotReplayable, "sha256 was never extended; banks disagree"},
		{"the kernel has another PCR", eleven, []pcr.Value{zero(pcr.SHA256)}, Unproven, "1 of 1 records are unproven: 1 of PCR 11, which was not compared"},
		{"empty", nil, []pcr.Value{zero(pcr.SHA256)}, Empty, "the list is empty"},
		{"empty, and a PCR", nil, wrong(pcr.SHA1, pcr.SHA256), Empty, "the list is empty"},
		{"empty, and no TPM", nil, nil, Empty, "the list is empty"},
		{"trimmed, and no TPM", withoutFirst, nil, NoTPM, "the list is trimmed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Check(mustParse(t, tt.list), 10, tt.pcrs)
			if got.Verdict != tt.want || !strings.Contains(got.Text, tt.text) {
				t.Errorf("verdict %s, %q\nwant    %s, %q", got.Verdict, got.Text, tt.want, tt.text)
			}
		})
	}
	if got := mustParse(t, eleven).Index(); got != 11 {
		t.Errorf("PCR %d", got)
	}
}

// TestRegisters: which registers can prove a list, and what moving it to another
// register would hide.
func TestRegisters(t *testing.T) {
	inPCR := func(index uint32) []byte {
		b := &builder{order: binary.LittleEndian}
		b.raw(index, nil, "ima-ng", b.ngData("sha256", pcr.SHA256.Sum(nil), "boot_aggregate"))
		b.raw(index, nil, "ima-ng", b.ngData("sha256", pcr.SHA256.Sum([]byte{1}), "/init"))
		return b.data
	}
	ten, eleven, sixteen := inPCR(10), inPCR(11), inPCR(16)
	zero := pcr.Value{Algorithm: pcr.SHA256, Value: make([]byte, 32)}
	value := func(index int, data []byte) Register {
		return Register{index, []pcr.Value{chained(mustParse(t, data), index, pcr.SHA256)}}
	}
	for _, tt := range []struct {
		name  string
		list  []byte
		index int
		regs  []Register // the first is that of Index
		want  Verdict
		text  string
		need  []int
	}{
		{"of another kernel", eleven, 11, []Register{value(11, eleven), {10, []pcr.Value{zero}}}, Match, "PCR 11: sha256 match; PCR 10: sha256 match", []int{11}},
		{"moved there", eleven, 11, []Register{value(11, eleven), value(10, ten)}, BankNotReplayable, "PCR 11: sha256 match; PCR 10: sha256 no match", []int{11}},
		{"in a register that can be reset", slices.Concat(ten, sixteen), 10, []Register{value(10, ten), value(16, sixteen)}, Unproven, "2 of 4 records are unproven: 2 of PCR 16, which can be reset", []int{10}},
		{"all in one that can be reset", sixteen, 10, []Register{{10, []pcr.Value{zero}}, value(16, sixteen)}, Unproven, "2 of PCR 16, which can be reset", []int{10}},
		{"in several", slices.Concat(ten, inPCR(12), eleven), 10, nil, NoTPM, "", []int{10, 11, 12}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := mustParse(t, tt.list)
			if got := l.Registers(); l.Index() != tt.index || !slices.Equal(got, tt.need) {
				t.Errorf("PCR %d, %v", l.Index(), got)
			}
			if tt.regs == nil {
				return
			}
			got := Check(l, tt.index, tt.regs[0].Values, tt.regs[1:]...)
			if got.Verdict != tt.want || !strings.Contains(got.Text, tt.text) {
				t.Errorf("verdict %s, %q\nwant    %s, %q", got.Verdict, got.Text, tt.want, tt.text)
			}
			for r := range l.All {
				if r.PCR == 16 && got.Proves(l, &r) {
					t.Errorf("record %d is proven", r.Number)
				}
			}
		})
	}
	got := Check(mustParse(t, ten), 10, value(10, ten).Values)
	if got.Leave(nil); got.Text != "PCR 10: sha256 match" {
		t.Error(got.Text)
	}
	if got.Leave([]string{"sm3"}); !strings.HasSuffix(got.Text, "banks sm3") || len(got.UnknownBanks) != 1 {
		t.Error(got.Text)
	}
}

// TestDamaged: the error is that of the right reading.
func TestDamaged(t *testing.T) {
	b := twoHops(binary.LittleEndian)
	nameless := twoHops(binary.LittleEndian)
	nameless.raw(10, nil, "", []byte("data"))
	of := func(bank pcr.Algorithm, order binary.AppendByteOrder) []byte {
		b := &builder{order: order, bank: bank}
		for range 5 {
			b.ng("boot_aggregate")
		}
		return b.data
	}
	sha256, sha512 := of(pcr.SHA256, binary.LittleEndian), of(pcr.SHA512, binary.BigEndian)
	for _, tt := range []struct {
		name string
		data []byte
		text string
	}{
		{"zeros behind it", append(slices.Clone(b.data), make([]byte, 4096)...), "record 10 at offset 894: list is corrupt: 4096 zero bytes after the last record"},
		{"a template without a name", nameless.data, "record 10 at offset 894: list is corrupt: the template has no name"},
		{"another bank's, cut short", sha256[:len(sha256)-7], "digests of 32 bytes: record 5 at offset"},
		{"another bank's first record, cut short", sha256[:len(sha256)/5-7], "digests of 32 bytes: record 1 at offset 0"},
		{"the longest digests, cut short", sha512[:len(sha512)-1], "digests of 64 bytes: record 5 at offset"},
		{"the longest digests and zeros", append(slices.Clone(sha512), make([]byte, 100)...), "digests of 64 bytes: record 6 at offset 725: list is corrupt: 100 zero bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseAny(tt.data)
			if err == nil || !strings.Contains(err.Error(), tt.text) || refusal.Of(err) != refusal.DamagedList {
				t.Errorf("error %v, want %q", err, tt.text)
			}
			if errors.Is(err, ErrTruncated) != strings.HasSuffix(tt.name, "cut short") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestUnknownDigests: digests of SM3, which have the size of SHA-256, do not
// count as wrong. A single wrong digest among right ones does.
func TestUnknownDigests(t *testing.T) {
	make32 := func(wrong func(i int) bool) *List {
		b := &builder{order: binary.LittleEndian, bank: pcr.SHA256}
		for i, name := range []string{"boot_aggregate", "/a", "/b"} {
			var digest []byte
			if wrong(i) {
				digest = slices.Repeat([]byte{0x5a}, 32)
			}
			b.raw(10, digest, "ima-ng", b.ngData("sha256", pcr.SHA256.Sum([]byte(name)), name))
		}
		l, err := ParseAny(b.data)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	all := make32(func(int) bool { return true })
	values := []pcr.Value{{Algorithm: pcr.SHA256, Value: replayForms(all, pcr.SHA256, FormTrue).Value}}
	if got := Check(all, 10, values); got.Verdict != Match || !got.UnknownDigests || !strings.Contains(got.Text, "cannot be computed here") {
		t.Errorf("%s, %q", got.Verdict, got.Text)
	}
	one := make32(func(i int) bool { return i == 1 })
	if got := Check(one, 10, values); got.Verdict != Tampered || got.Tampered != 2 {
		t.Errorf("%s, %q", got.Verdict, got.Text)
	}
}

// TestFieldsInAnyOrder: the format says which fields are the name and the
// digest.
func TestFieldsInAnyOrder(t *testing.T) {
	b := &builder{order: binary.LittleEndian}
	digest := b.field(append([]byte("sha256:\x00"), pcr.SHA256.Sum(nil)...))
	name, empty := b.field([]byte("boot_aggregate\x00")), b.field(nil)
	const aggregate = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, tt := range []struct {
		template, aggregate string
		data                []byte
		trimmed             bool
	}{
		{"n-ng|d-ng", aggregate, slices.Concat(name, digest), false},
		{"d-ng|sig|n-ng", aggregate, slices.Concat(digest, empty, name), false},
		{"imode|n", "", slices.Concat(empty, name), false},
		{"n-ng|n-ng", "", slices.Concat(name, empty), false},
		{"d-ng|n-ng|sig", aggregate, slices.Concat(digest, name, empty), false},
		{"patched", "", slices.Concat(digest, empty, empty, name), false},
		{"patched", "", slices.Concat(digest, b.field([]byte("/init"))), false}, // unknown
		{"d-ng|n-ng", "", slices.Concat(digest, b.field([]byte("/init\x00"))), true},
		{"ima-ng", "", slices.Concat(digest, b.field([]byte("/init\x00"))), true},
		// The name of an algorithm is printed only if it looks like
		// one.
		{"ima-ng", "0a4d415443483a00", slices.Concat(b.field([]byte("\nMATCH:\x00")), name), false},
	} {
		b.data = nil
		b.raw(10, nil, tt.template, tt.data)
		l := mustParse(t, b.data)
		if got := l.hops[0].BootAggregate; got != tt.aggregate || l.Trimmed() != tt.trimmed {
			t.Errorf("%s: boot_aggregate %q, trimmed %v", tt.template, got, l.Trimmed())
		}
	}
}

// TestReportNames: names that differ also differ in JSON.
func TestReportNames(t *testing.T) {
	b := &builder{order: binary.LittleEndian}
	names := []string{"/a\xff", "/a\xfe", "/a\x00b", "/a\x00\xff", "\xed\xa0\x80", `/a\xff`, "/ä", "/a", "/a?"}
	for _, name := range names {
		b.ng(name)
	}
	b.raw(10, nil, "n-ng|n-ng", slices.Concat(b.field([]byte("/one\x00")), b.field([]byte("/two\x00"))))
	seen := map[string]bool{}
	for r := range mustParse(t, b.data).All {
		report := r.Report()
		if raw := report.Raw["n-ng"]; (raw != "") != (r.Number <= 5) {
			t.Errorf("record %d: raw %q", r.Number, raw)
		}
		out, err := json.Marshal([]any{report.Fields["n-ng"], report.Fields["n-ng#2"], report.Raw})
		if err != nil || strings.Contains(string(out), "\ufffd") || strings.Contains(string(out), "ufffd") {
			t.Errorf("%s, %v", out, err)
		}
		seen[string(out)] = true
	}
	if len(seen) != len(names)+1 || !seen[`["/one","/two",null]`] {
		t.Errorf("%v", seen)
	}
}
