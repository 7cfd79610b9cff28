// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
)

func TestMeasured(t *testing.T) {
	b := &builder{order: binary.BigEndian}
	b.ng("boot_aggregate")
	b.ng("content") // its digest is that of the name
	sum := sha512.Sum512([]byte("longer"))
	b.raw(10, nil, "ima-sigv2", append(append(b.field(append([]byte("ima:sha512:\x00"), sum[:]...)), b.field([]byte("/f\x00"))...), b.field(nil)...))
	verity := sha512.Sum512([]byte("verity"))
	b.raw(10, nil, "ima-ngv2", append(b.field(append([]byte("verity:sha512:\x00"), verity[:]...)), b.field([]byte("/f\x00"))...))
	old := sha1.Sum([]byte("old"))
	b.legacy(old[:], "/old")
	b.violation("/v")
	b.raw(10, nil, "ima-ng", b.ngData("sha256", []byte("short"), "/odd"))
	b.raw(10, nil, "ima-ng", b.ngData("wp512", bytes.Repeat([]byte("x"), 64), "/unknown"))
	l := mustParse(t, b.data)
	for _, tt := range []struct {
		content string
		want    int
	}{{"content", 2}, {"longer", 3}, {"verity", 0}, {"old", 5}, {"/v", 0}, {"", 0}, {"other", 0}} {
		if got := l.Measured([]byte(tt.content)); got != tt.want {
			t.Errorf("%q: record %d, want %d", tt.content, got, tt.want)
		}
	}
}

// TestMeasuredProven: a record that no PCR proves is no evidence.
func TestMeasuredProven(t *testing.T) {
	b := &builder{order: binary.LittleEndian}
	b.ng("boot_aggregate")
	sum := sha256.Sum256([]byte("kernel"))
	b.raw(11, nil, "n-ng|d-ng", slices.Concat(b.field([]byte("/boot/vmlinuz\x00")), b.field(append([]byte("sha256:\x00"), sum[:]...))))
	l := mustParse(t, b.data)
	ten := []pcr.Value{chained(l, 10, pcr.SHA256)}
	eleven := Register{11, []pcr.Value{chained(l, 11, pcr.SHA256)}}
	for _, tt := range []struct {
		name   string
		report *Report
		want   int
	}{
		{"PCR 11 not compared", Check(l, 10, ten), 0},
		{"PCR 11 compared", Check(l, 10, ten, eleven), 2},
		{"no TPM", Check(l, 10, nil), 2},
	} {
		if got := tt.report.Measured(l, []byte("kernel")); got != tt.want {
			t.Errorf("%s: record %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestJoin(t *testing.T) {
	l := mustParse(t, twoHops(binary.LittleEndian).data)
	at := 0
	for r := range l.All {
		if r.Number == 4 {
			at = r.Offset
		}
	}
	got, err := Join(mustParse(t, l.Bytes()[:at]), mustParse(t, l.Bytes()[at:]))
	if err != nil || !bytes.Equal(got.Bytes(), l.Bytes()) || got.Records() != l.Records() {
		t.Errorf("%d records, %v", got.Records(), err)
	}
	if _, err := Join(mustParse(t, twoHops(binary.BigEndian).data), l); err == nil {
		t.Error("no error for another byte order")
	}
}
