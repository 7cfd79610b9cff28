// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/u-root/u-root/pkg/dt"
)

func TestPPC64LELMBs(t *testing.T) {
	be := func(words ...uint32) []byte {
		var b []byte
		for _, w := range words {
			b = binary.BigEndian.AppendUint32(b, w)
		}
		return b
	}
	const size = 0x10000000
	node := func(name string, value []byte) *dt.Node {
		return dt.NewNode("ibm,dynamic-reconfiguration-memory",
			dt.WithProperty(dt.PropertyU64("ibm,lmb-size", size), dt.Property{Name: name, Value: value}))
	}
	for _, tt := range []struct {
		name string
		node *dt.Node
		want []Range
		bad  bool
	}{
		{name: "none"},
		{name: "first form", node: node("ibm,dynamic-memory", be(3,
			0, 0x10000000, 1, 0, 0, 0x8,
			0, 0x20000000, 2, 0, 0, 0,
			1, 0, 3, 0, 0, 0x88)),
			want: []Range{{0x10000000, 0x20000000}}},
		{name: "second form", node: node("ibm,dynamic-memory-v2", be(2,
			4, 1, 0x10000000, 1, 0, 0x8,
			9, 2, 0, 1, 0, 0)),
			want: []Range{{0x110000000, 0x150000000}}},
		{name: "too few entries", node: node("ibm,dynamic-memory", be(2, 0, 0, 0, 0, 0, 8)), bad: true},
		{name: "count wraps", node: node("ibm,dynamic-memory", be(0xffffffff)), bad: true},
		{name: "beyond the address space", node: node("ibm,dynamic-memory-v2", be(1, 0xffffffff, 0xffffffff, 0, 0, 0, 8)), bad: true},
		{name: "no size", node: dt.NewNode("m", dt.WithProperty(dt.Property{Name: "ibm,dynamic-memory", Value: be(0)})), bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ppc64leLMBs(tt.node)
			if (err != nil) != tt.bad || (tt.bad && !errors.Is(err, ErrBadTree)) {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPPC64LEMemoryLimit(t *testing.T) {
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
		{"mem=18446744074783293440", 1 << 30},
		{"mem=99999999999E", math.MaxUint64 &^ (ppc64leMemoryGranule - 1)},
		{`mem="512M"`, 512 << 20},
		{`"mem=512M"`, 512 << 20},
		{"mem=512M mem", 512 << 20},
		{"mem=512M mem=", math.MaxUint64},
		{"mem=512M\xa0mem=1G\vquiet", 1 << 30},
		{"mem=512M -- mem=1G", 512 << 20},
		{"xmem=1G", math.MaxUint64},
	} {
		if got := ppc64leMemoryLimit(tt.cmdline); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.cmdline, got, tt.want)
		}
	}
}

func TestPPC64LECrashKernel(t *testing.T) {
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
		{"crashkernel=256M@1M", false, Range{mib, 257 * mib}},
		{"crashkernel=256M@65537", false, Range{65537, 256*mib + 2*ppc64leAlign}},
		{"crashkernel=2G-4G:384M,4G-:512M", false, Range{512 * mib, 1024 * mib}},
		{"crashkernel=2G-4G:384M,4G-:512M@32M", false, Range{32 * mib, 544 * mib}},
		{"crashkernel=2G-4G:384M,4G-:512M mem=3G", false, Range{512 * mib, 896 * mib}},
		{"crashkernel=2G-4G:384M,4G-16G:512M,16G-64G:1G,64G-128G:2G,128G-:4G", false, Range{512 * mib, 1024 * mib}},
		{"crashkernel=auto", false, Range{}},
		{"crashkernel=512M crashkernel=64M,cma", false, Range{512 * mib, 1024 * mib}},
		{`"crashkernel=256M@64M"`, false, Range{64 * mib, 320 * mib}},
		{"x.crashkernel=256M@64M", false, Range{64 * mib, 320 * mib}},
		{"crashkernel=8G", false, Range{}},
	} {
		mem := &ppc64leMemory{realMode: 2048 * mib, size: 8192 * mib}
		if tt.bareMetal {
			mem.opal.base = 1
		}
		if got := mem.nextCrashKernel(tt.cmdline); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.cmdline, got, tt.want)
		}
	}
}

// TestPPC64LECommandLine checks that a plan avoids the memory which the target's
// command line takes away.
func TestPPC64LECommandLine(t *testing.T) {
	m, x := captured(t, "ppc64le", "pseries-radix-4k"), ppc64leTestTarget(t)
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

// TestPPC64LEListAboveRealMode plans with a list that is too large for the first
// memory block and fits into a later one.
func TestPPC64LEListAboveRealMode(t *testing.T) {
	m := captured(t, "ppc64le", "pseries-radix-64k-numa")
	l := testList()
	l.Room = 3500 << 20
	p, err := ppc64le{}.Plan(m, ppc64leTestTarget(t), l)
	if err != nil {
		t.Fatal(err)
	}
	if p.List.End <= 1<<32 {
		t.Errorf("list at %v", p.List.Range)
	}
	checkPPC64LEPlan(t, m, p)
}
