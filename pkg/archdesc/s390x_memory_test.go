// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"math"
	"testing"
)

func TestS390XCrashKernel(t *testing.T) {
	for _, tt := range []struct {
		cmdline string
		want    Range
	}{
		{"quiet", Range{}},
		{"crashkernel=256M", Range{}},
		{"crashkernel=256M@512M", Range{512 << 20, 768 << 20}},
		{`"crashkernel=256M@512M"`, Range{512 << 20, 768 << 20}},
		{"crashkernel=256M@512M crashkernel=64M,cma", Range{512 << 20, 768 << 20}},
		{"crashkernel=4G@512M", Range{}},
	} {
		if got := s390xCrashKernel(tt.cmdline, 2<<30); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.cmdline, got, tt.want)
		}
	}
}

func TestS390XMemoryLimit(t *testing.T) {
	for _, tt := range []struct {
		cmdline string
		want    Addr
	}{
		{"quiet", math.MaxUint64},
		{"mem=1G quiet", 1 << 30},
		{"mem=1G mem=20971521", 20 << 20},
		{"mem=512K", math.MaxUint64},
		{"mem=lots", math.MaxUint64},
		{`mem="1G"`, 1 << 30},
		{`"mem=1G"`, 1 << 30},
		{"mem=1G mem", 1 << 30},
		{"mem=1G\fmem=2G", 2 << 30},
		{"mem=2G -- mem=1G", 1 << 30},
	} {
		if got := s390xMemoryLimit(tt.cmdline); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.cmdline, got, tt.want)
		}
	}
}

// TestS390XUnpacking keeps segments out of the place where a kernel is unpacked.
// A guest with a kernel of this size said "DECOMPRESSOR 0 - 6a7000" and
// "VMLINUX 258000 - 6ff000": it overwrote a list at 0x6a7000.
func TestS390XUnpacking(t *testing.T) {
	const safe = 0x6a7000 + s390xAlign
	target := s390xTestTarget()
	target.Kernel = s390xTestImage(0x189000, s390xParmRestoresList)
	for size := 0; size < 2<<20; size += 64 << 10 {
		target.Initrd = make([]byte, size)
		for _, l := range []*List{testList(), {Archive: make([]byte, 0x1234)}} {
			p, err := s390x{}.Plan(s390xTestMachine(), target, l)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range p.Segments {
				if s.Name != "parameters" && s.Name != SegmentKernel && s.Start < safe {
					t.Errorf("initrd of %d bytes: segment %s at %v", size, s.Name, s.Range)
				}
			}
		}
	}
}

// TestS390XImageEndWraps refuses an image that claims to end at the end of the
// address space.
func TestS390XImageEndWraps(t *testing.T) {
	for _, end := range []Addr{math.MaxUint64, math.MaxUint64 - s390xHeap, math.MaxUint64 - s390xHeap - 1} {
		if _, err := readS390XMemory(s390xTestMachine(), end); err == nil {
			t.Errorf("image ends at %v: no error", end)
		}
	}
}
