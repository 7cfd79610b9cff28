// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"math"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	for _, tt := range []struct {
		cmdline string
		want    Addr
	}{
		{"quiet", math.MaxUint64},
		{"mem=1G quiet", 1 << 30},
		{"mem=2G mem=513m", 512 << 20},
		{"mem=0x40000000", 1 << 30},
		{"mem=lots", math.MaxUint64},
		{"mem=0xe0000000", 0xe0000000},
		{"mem=0x1e000000K", 0x1e000000 << 10},
		{"mem=010000000000", 1 << 30},
		{"mem=0b1", math.MaxUint64},
		{"mem=99999999999E", math.MaxUint64},
		{"xmem=1G", math.MaxUint64},
	} {
		if got := memoryLimit(tt.cmdline, ppc64MemoryGranule); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.cmdline, got, tt.want)
		}
	}
}

func TestPPC64CrashKernel(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		cmdline   string
		bareMetal bool
		want      Range
	}{
		{"quiet", false, Range{}},
		{"crashkernel=256M", false, Range{512 * mib, 768 * mib}},
		{"crashkernel=256M", true, Range{128 * mib, 384 * mib}},
		{"crashkernel=256M@64M", false, Range{64 * mib, 320 * mib}},
		{"crashkernel=2G-4G:384M,4G-:512M", false, Range{512 * mib, 1024 * mib}},
		{"crashkernel=2G-4G:384M,4G-:512M@32M", false, Range{32 * mib, 544 * mib}},
		{"crashkernel=auto", false, Range{}},
	} {
		if got := ppc64CrashKernel(tt.cmdline, 2048*mib, tt.bareMetal); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.cmdline, got, tt.want)
		}
	}
}

// TestPPC64LECommandLine: a plan keeps away from what the target's command
// line takes.
func TestPPC64LECommandLine(t *testing.T) {
	m, x := captured(t, "ppc64le", "pseries-radix-4k"), testTarget(t)
	x.Cmdline = "mem=1G crashkernel=500M@4M"
	p, err := ppc64le{}.Plan(m, x, testList())
	if err != nil {
		t.Fatal(err)
	}
	checkPPC64LEPlan(t, m, p)
	for _, s := range p.Segments {
		if s.Start < 504<<20 || s.End > 1<<30 {
			t.Errorf("segment %s %v is in the crash kernel's memory or beyond mem=", s.Name, s.Range)
		}
	}
}
