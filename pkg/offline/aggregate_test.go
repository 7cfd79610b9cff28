// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package offline

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestAggregate compares the first boot_aggregate with the registers that are
// given.
func TestAggregate(t *testing.T) {
	firmware := &builder{}
	for index := range eventlog.FilePCR + 1 {
		for _, a := range []pcr.Algorithm{pcr.SHA1, pcr.SHA256} {
			firmware.set(index, a, bytes.Repeat([]byte{byte(0x10 + index)}, a.Size()))
		}
	}
	// content returns the first registers of a bank, and of their digest.
	content := func(a pcr.Algorithm, registers int) (out []byte) {
		for index := range registers {
			out = append(out, firmware.get(index, a)...)
		}
		return out
	}
	of := func(a pcr.Algorithm, registers int) string { return hex.EncodeToString(a.Sum(content(a, registers))) }
	// given returns the values of registers from first on.
	given := func(a pcr.Algorithm, first, registers int) (out []string) {
		for index := first; index < registers; index++ {
			out = append(out, firmware.value(index, a))
		}
		return out
	}
	dir := directory{t, t.TempDir()}
	for _, tt := range []struct {
		name      string
		aggregate string
		second    string
		pcrs      []string
		pcr       string
		verdict   refusal.Name
		text      string
	}{
		{"0-7", of(pcr.SHA256, 8), "", given(pcr.SHA256, 0, 8), "0-7", refusal.Match, "boot_aggregate is that of PCRs 0-7 as they are"},
		{"0-7 of ten", of(pcr.SHA256, 8), "", given(pcr.SHA256, 0, 10), "0-7", refusal.Match, ""},
		{"0-9", of(pcr.SHA256, 10), "", given(pcr.SHA256, 0, 10), "0-9", refusal.Match, "PCRs 0-9"},
		{"SHA-1", of(pcr.SHA1, 8), "", given(pcr.SHA1, 0, 8), "0-7", refusal.Match, ""},
		{"SHA-1 never covers ten", of(pcr.SHA1, 10), "", given(pcr.SHA1, 0, 10), "", refusal.AggregateMismatch, "is the digest neither of PCRs 0-7 nor of PCRs 0-9"},
		{"SHA-1 of another boot", strings.Repeat("11", 20), "", given(pcr.SHA1, 0, 8), "", refusal.AggregateMismatch, ""},
		{"another boot", strings.Repeat("11", 32), "", given(pcr.SHA256, 0, 10), "", refusal.AggregateMismatch, "boot_aggregate sha256:1111"},
		{"another boot, several kernels", strings.Repeat("11", 32), of(pcr.SHA256, 10), given(pcr.SHA256, 0, 10), "", refusal.AggregateMismatch, "was PCR 8 or 9 extended before a later kernel started?"},
		{"it may cover ten", of(pcr.SHA256, 10), "", given(pcr.SHA256, 0, 8), "", "", "was not compared: PCR 8 of sha256 is not given"},
		{"another bank", of(pcr.SHA256, 10), "", given(pcr.SHA1, 0, 10), "", "", "was not compared: PCR 0 of sha256 is not given"},
		{"some", of(pcr.SHA256, 10), "", given(pcr.SHA256, 3, 10), "", "", "was not compared: PCR 0 of sha256 is not given"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &builder{}
			b.add(10, tt.aggregate, "boot_aggregate")
			b.add(10, digest("init"), "/init")
			if tt.second != "" {
				b.add(10, tt.second, "boot_aggregate")
			}
			want := refusal.Name("")
			if tt.verdict == refusal.AggregateMismatch {
				want = tt.verdict
			}
			r := check(t, Options{List: dir.file("list", b.list), PCRs: append(tt.pcrs, b.value(10, pcr.SHA256))}, want, tt.text)
			if r.Aggregate == nil || r.Aggregate.PCRs != tt.pcr || r.Aggregate.Verdict != tt.verdict {
				t.Errorf("%+v", r.Aggregate)
			}
		})
	}
	// A loader may have extended PCRs 8 and 9 after the first kernel.
	early := &builder{}
	early.add(10, hex.EncodeToString(pcr.SHA256.Sum(append(content(pcr.SHA256, 8), make([]byte, 2*pcr.SHA256.Size())...))), "boot_aggregate")
	check(t, Options{List: dir.file("list", early.list), PCRs: append(given(pcr.SHA256, 0, 10), early.value(10, pcr.SHA256))}, "",
		"hop 1: boot_aggregate is that of PCRs 0-9 as they were before PCRs 8 and 9 were extended\n")
	// Nothing to compare.
	filled := &builder{}
	filled.add(10, of(pcr.SHA256, 10), "boot_aggregate")
	zeros := []string{filled.value(10, pcr.SHA256)}
	for index := range eventlog.FilePCR + 1 {
		zeros = append(zeros, filled.value(index, pcr.SHA256))
	}
	const allZero = "hop 1: boot_aggregate was not compared: PCRs 0 to 9 are all given as zero\n"
	check(t, Options{List: dir.file("list", filled.list), PCRs: zeros}, "", allZero)
	check(t, Options{List: dir.file("list", filled.list), PCRs: append(zeros, given(pcr.SHA1, 0, 10)...)}, "", allZero)
	filled = &builder{}
	filled.add(10, of(pcr.SHA1, 8), "boot_aggregate")
	zeros = []string{filled.value(10, pcr.SHA1)}
	for index := range eventlog.FilePCR + 1 {
		zeros = append(zeros, filled.value(index, pcr.SHA1))
	}
	check(t, Options{List: dir.file("list", filled.list), PCRs: zeros}, "", allZero)
	b := &builder{}
	b.add(10, strings.Repeat("00", 32), "boot_aggregate")
	if r := check(t, Options{List: dir.file("list", b.list), PCRs: append(given(pcr.SHA256, 0, 10), b.value(10, pcr.SHA256))}, "", ""); r.Aggregate != nil {
		t.Errorf("%+v", r.Aggregate)
	}
	if r := check(t, Options{List: dir.file("list", b.list), PCRs: []string{b.value(10, pcr.SHA256)}}, "", ""); r.Aggregate != nil {
		t.Errorf("%+v", r.Aggregate)
	}
}
