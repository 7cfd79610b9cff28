// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package budget

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/refusal"
)

func TestTake(t *testing.T) {
	m := New(100)
	for _, tt := range []struct {
		n, left int64
		ok      bool
	}{
		{60, 40, true}, {41, 40, false}, {-1, 40, false}, {math.MaxInt64, 40, false}, {40, 0, true}, {0, 0, true}, {1, 0, false},
	} {
		err := m.Take("file", tt.n)
		if (err == nil) != tt.ok || m.Left() != tt.left {
			t.Errorf("Take(%d): %v, %d left", tt.n, err, m.Left())
		}
		if err != nil && (!errors.Is(err, ErrTooLarge) || refusal.Of(err) != refusal.TooLarge || !refusal.Of(err).Another()) {
			t.Errorf("Take(%d): %v", tt.n, err)
		}
	}
	m.Give(1000)
	if m.Left() != 100 {
		t.Errorf("%d left after all was given back", m.Left())
	}
	if err := New(4<<20).Take("/mnt/x", 8<<20); err == nil ||
		err.Error() != "too large: /mnt/x: 8.0 MiB (8388608 bytes), and at most 4.0 MiB (4194304 bytes) are left for it" {
		t.Errorf("%v", err)
	}
}

func TestBlock(t *testing.T) {
	m := New(16 << 20)
	b := m.Writer("out", 8<<20)
	part := bytes.Repeat([]byte("part"), 1<<18)
	for range 8 {
		if n, err := b.Write(part); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if !bytes.Equal(b.Bytes(), bytes.Repeat(part, 8)) {
		t.Error("what was written is not in the block")
	}
	if _, err := b.Write(part[:1]); !errors.Is(err, ErrTooLarge) || len(b.Bytes()) != 8<<20 {
		t.Errorf("more than the most: %v", err)
	}
	if err := b.Trim(); err != nil || m.Left() != 8<<20 {
		t.Errorf("%v, %d left", err, m.Left())
	}
	if _, err := m.Bytes("more", 8<<20+1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more than is left: %v", err)
	}
	if err := errors.Join(b.Free(), b.Free()); err != nil || m.Left() != 16<<20 {
		t.Errorf("%v, %d left", err, m.Left())
	}
	if err := m.Try("dictionary", 17<<20); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
	if err := m.Try("dictionary", 15<<20); err != nil || m.Left() != 16<<20 {
		t.Errorf("%v, %d left", err, m.Left())
	}
}

// TestNoAddresses: the kernel refuses what the budget allows.
func TestNoAddresses(t *testing.T) {
	m := New(math.MaxInt64)
	if _, err := m.Bytes("all", 1<<55); !errors.Is(err, ErrTooLarge) || m.Left() != math.MaxInt64 {
		t.Errorf("%v, %d left", err, m.Left())
	}
}

// TestLastBytes: a block takes all that is left, though it grows in steps.
func TestLastBytes(t *testing.T) {
	m := New(4 << 20)
	b := m.Writer("out", 1<<30)
	part := make([]byte, 64<<10)
	for n := 0; n < 4<<20; n += len(part) {
		if _, err := b.Write(part); err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := b.Write(part); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
	if err := b.Free(); err != nil || m.Left() != 4<<20 {
		t.Errorf("%v, %d left", err, m.Left())
	}
}

func TestMachine(t *testing.T) {
	for _, tt := range []struct {
		name, meminfo string
		want          int64
	}{
		{"what is available", "MemTotal:         498432 kB\nMemFree:          300000 kB\nMemAvailable:     400000 kB\n", 300000 << 10},
		{"an old kernel", "MemTotal:         498432 kB\nMemFree:          300000 kB\n", 249216 << 10},
		{"nothing is available", "MemTotal: 498432 kB\nMemAvailable: 0 kB\n", 0},
		{"no numbers", "MemTotal: many\n", 0},
		{"nothing", "", 0},
	} {
		if got := available(tt.meminfo); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	root := fileroot.New(t, map[string]string{"proc/meminfo": "MemTotal: 2048 kB\nMemAvailable: 1024 kB\n"})
	m := Machine(root)
	if m.Limit() != 768<<10 || Machine(root+"/") != m || Machine("/") == m {
		t.Errorf("%d bytes, or the budget is not shared", m.Limit())
	}
	if m := Machine(t.TempDir()); m.Limit() < 1<<20 {
		t.Errorf("%d bytes without proc/meminfo", m.Limit())
	}
}
