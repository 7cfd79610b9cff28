// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/internal/testing/petest"
)

func TestParseUKI(t *testing.T) {
	section := func(name, data string) petest.Section { return petest.Section{Name: name, Data: data} }
	file := func(sections ...petest.Section) []byte { return petest.File(petest.AMD64, sections...) }
	base := []petest.Section{
		section(".text", "stub"), section(".osrel", "ID=x"), section(".cmdline", "quiet \n\x00"), section(".linux", "kernel"), section(".initrd", "initrd"),
	}
	with := func(more ...petest.Section) []byte { return file(slices.Concat(base, more)...) }
	for _, tt := range []struct {
		name  string
		image []byte
		want  *UKI
	}{
		{"empty", nil, nil},
		{"ELF", []byte("\x7fELF"), nil},
		{"bzImage", append([]byte("MZ"), make([]byte, 4096)...), nil},
		{"boot loader", file(section(".text", "code")), nil},
		{"cut in the headers", with()[:petest.SectionHeader(2)], nil},
		{"image", with(), &UKI{[]byte("kernel"), []byte("initrd"), "quiet"}},
		{"kernel alone", file(section(".linux", "kernel")), &UKI{[]byte("kernel"), nil, ""}},
		{"microcode", with(section(".ucode", "mcode")), &UKI{[]byte("kernel"), []byte("mcode\x00\x00\x00initrd"), "quiet"}},
		{"microcode alone", file(section(".linux", "kernel"), section(".ucode", "mcode")), &UKI{[]byte("kernel"), []byte("mcode"), ""}},
		{"profiles", with(section(".profile", "ID=a"), section(".cmdline", "single"), section(".profile", "ID=b"), section(".cmdline", "other"), section(".initrd", "other")),
			&UKI{[]byte("kernel"), []byte("initrd"), "single"}},
		{"profile without a change", with(section(".profile", "ID=a"), section(".profile", "ID=b"), section(".cmdline", "other")), &UKI{[]byte("kernel"), []byte("initrd"), "quiet"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseUKI(tt.image)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestParseUKISizes takes the smaller of a section's two sizes, and refuses what
// is not in the file.
func TestParseUKISizes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		field int
		value uint32
		want  string // the kernel, or the error
	}{
		{"virtual size beyond the raw one", petest.VirtualSize, 1 << 31, "kernel" + strings.Repeat("\x00", 506)},
		{"raw size below the virtual one", petest.RawSize, 3, "ker"},
		{"offset beyond the file", petest.RawOffset, 0xfffffff0, "cut short: section .linux at 0xfffffff0 has 0x6 bytes"},
	} {
		b := petest.File(petest.AMD64, petest.Section{Name: ".linux", Data: "kernel"})
		binary.LittleEndian.PutUint32(b[petest.SectionHeader(0)+tt.field:], tt.value)
		u, err := ParseUKI(b)
		switch {
		case err != nil && !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: %v", tt.name, err)
		case err == nil && string(u.Kernel) != tt.want:
			t.Errorf("%s: %q", tt.name, u.Kernel)
		}
	}
}

func FuzzParseUKI(f *testing.F) {
	f.Add(petest.File(petest.AMD64, petest.Section{Name: ".linux", Data: "kernel"}, petest.Section{Name: ".ucode", Data: "u"}, petest.Section{Name: ".profile"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := ParseUKI(b)
		if err == nil && u != nil && len(u.Kernel)+len(u.Cmdline) > 2*len(b) {
			t.Errorf("%d bytes of %d", len(u.Kernel), len(b))
		}
	})
}

func TestJoinInitrds(t *testing.T) {
	a, b := []byte("12345"), []byte("678")
	if got := JoinInitrds(nil, a, nil); &got[0] != &a[0] {
		t.Error("a single archive was copied")
	}
	if got := string(JoinInitrds(a, b, a)); got != "12345\x00\x00\x00678\x0012345" {
		t.Errorf("%q", got)
	}
	if got := JoinInitrds(); got != nil {
		t.Errorf("%q", got)
	}
}
