// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPartitions(t *testing.T) {
	const unit = partitionUnit
	for _, tt := range []struct {
		name string
		prep bool
		size int64
		want []partition
	}{
		{"root", false, 3 * unit, []partition{{typeLinux, true, unit, 3 * unit}}},
		{"rounded up", false, 3*unit + 1, []partition{{typeLinux, true, unit, 4 * unit}}},
		{"behind PReP", true, 2 * unit, []partition{{typePReP, true, unit, prepSize}, {typeLinux, false, unit + prepSize, 2 * unit}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := partitions(tt.prep, tt.size)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(partition{})); diff != "" {
				t.Error(diff)
			}
			if _, err := partitionTable(1, got); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPartitionTable(t *testing.T) {
	b, err := partitionTable(0x01020304, partitions(true, 5*partitionUnit))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != sectorSize || b[510] != 0x55 || b[511] != 0xaa {
		t.Errorf("%d bytes, not signed", len(b))
	}
	if id := binary.LittleEndian.Uint32(b[440:]); id != 0x01020304 {
		t.Errorf("disk %#x", id)
	}
	want := [][]byte{
		{0x80, 0xfe, 0xff, 0xff, typePReP, 0xfe, 0xff, 0xff, 0, 8, 0, 0, 0, 64, 0, 0},
		{0, 0xfe, 0xff, 0xff, typeLinux, 0xfe, 0xff, 0xff, 0, 72, 0, 0, 0, 40, 0, 0},
		make([]byte, 16),
		make([]byte, 16),
	}
	if diff := cmp.Diff(slices.Concat(want...), b[446:510]); diff != "" {
		t.Error(diff)
	}
}

func TestPartitionTableRefuses(t *testing.T) {
	const unit = partitionUnit
	for _, tt := range []struct {
		name  string
		parts []partition
	}{
		{"five", slices.Repeat([]partition{{typeLinux, false, unit, unit}}, 5)},
		{"empty", []partition{{typeLinux, false, unit, 0}}},
		{"on the table", []partition{{typeLinux, false, 0, unit}}},
		{"overlap", []partition{{typeLinux, false, unit, 2 * unit}, {typeLinux, false, 2 * unit, unit}}},
		{"between sectors", []partition{{typeLinux, false, unit + 1, unit}}},
		{"half a sector", []partition{{typeLinux, false, unit, unit + 1}}},
		{"too large", []partition{{typeLinux, false, unit, 1 << 41}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := partitionTable(1, tt.parts); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestTreeSize(t *testing.T) {
	root := t.TempDir()
	before, err := treeSize(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "file"), make([]byte, 4097), 0o644); err != nil {
		t.Fatal(err)
	}
	after, err := treeSize(root)
	if err != nil {
		t.Fatal(err)
	}
	if got, least := after-before, int64(2*4096); got < least || got > least+4096 {
		t.Errorf("a file of 4097 bytes takes %d", got)
	}
}

// TestConfiguration: no placeholders are left.
func TestConfiguration(t *testing.T) {
	left := regexp.MustCompile(`[^$]\{[a-z]+\}`)
	for arch, s := range systems {
		texts, commands := s.configuration(arch, "6.1.0-1-"+arch)
		texts["commands"] = commands
		for name, text := range texts {
			if m := left.FindString(" " + name + "\n" + text); m != "" {
				t.Errorf("%s: %s has %q", arch, name, m)
			}
		}
		if want := "UUID=" + s.rootUUID + " / ext4 "; !strings.HasPrefix(texts["etc/fstab"], want) {
			t.Errorf("%s: fstab is %q, want %q", arch, texts["etc/fstab"], want)
		}
	}
}

// TestBinfmts: for each system, the pattern covers the ELF header up to the
// machine number.
func TestBinfmts(t *testing.T) {
	const header = 20
	for arch := range systems {
		b := binfmts[arch]
		for _, s := range []string{b.magic, b.mask} {
			if n := len(s) - 3*strings.Count(s, `\x`); n != header {
				t.Errorf("%s: %s is %d bytes, want %d", arch, s, n, header)
			}
		}
	}
}

// TestKeyOf: a program's content changes the key of a disk.
func TestKeyOf(t *testing.T) {
	one, err := keyOf("root", map[string]systemFile{"a": {[]byte("1"), 0o644}})
	if err != nil {
		t.Fatal(err)
	}
	other, err := keyOf("root", map[string]systemFile{"a": {[]byte("2"), 0o644}})
	if err != nil {
		t.Fatal(err)
	}
	if one == other {
		t.Errorf("both are %s", one)
	}
}
