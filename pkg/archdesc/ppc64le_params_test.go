// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"testing"

	"github.com/u-root/u-root/pkg/dt"
)

// TestPPC64LESecondHop plans on a machine that was itself started by a kexec.
// Nothing of the old descriptor may remain.
func TestPPC64LESecondHop(t *testing.T) {
	m := captured(t, "ppc64le", "pseries-radix-4k")
	chosen := child(m.Tree, "chosen")
	chosen.Update(dt.PropertyRegion(fdtListProperty, 0x1234000, 0x1000))
	chosen.Update(dt.PropertyU64("linux,initrd-start", 0x7000000))
	chosen.Update(dt.PropertyU64("linux,memory-limit", 0))
	chosen.Update(dt.PropertyU64("linux,elfcorehdr", 1))
	before := len(chosen.Properties)
	target := ppc64leTestTarget(t)
	target.Initrd = nil
	p, err := ppc64le{}.Plan(m, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(chosen.Properties) != before {
		t.Error("planning changed the machine")
	}
	fdt, _ := p.Segment(SegmentFDT)
	tree, err := ParseTree(fdt.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(ppc64leDrop, fdtDrop...) {
		if name == "bootargs" || name == "rng-seed" || name == "linux,booted-from-kexec" {
			continue // set anew
		}
		if _, ok := property(child(tree.RootNode, "chosen"), name); ok {
			t.Errorf("/chosen/%s is still there", name)
		}
	}
	if p.List != nil {
		t.Error("a descriptor without a list")
	}
}

// TestPPC64LEGivenTree takes a device tree from a file. Its reservations remain,
// except those for its author's initrd and list.
func TestPPC64LEGivenTree(t *testing.T) {
	m := captured(t, "ppc64le", "pseries-radix-4k")
	given := &dt.FDT{RootNode: cloneTree(m.Tree), ReserveEntries: []dt.ReserveEntry{
		{Address: 0x1000, Size: 0x2000},     // somebody's
		{Address: 0x5000000, Size: 0x10000}, // the old list
		{Address: 0x6000000, Size: 0x123},   // the old initrd
	}}
	chosen := child(given.RootNode, "chosen")
	chosen.Update(dt.PropertyRegion(fdtListProperty, 0x5000000, 0x10000))
	chosen.Update(dt.PropertyU64("linux,initrd-start", 0x6000000))
	chosen.Update(dt.PropertyU64("linux,initrd-end", 0x6000123))
	given.RootNode.Update(dt.PropertyString("model", "given"))
	target := ppc64leTestTarget(t)
	target.Tree = given
	p, err := ppc64le{}.Plan(m, target, testList())
	if err != nil {
		t.Fatal(err)
	}
	checkPPC64LEPlan(t, m, p)
	fdt, _ := p.Segment(SegmentFDT)
	tree, err := ParseTree(fdt.Data)
	if err != nil {
		t.Fatal(err)
	}
	if got := text(tree.RootNode, "model"); got != "given" {
		t.Errorf("model %q: not the given tree", got)
	}
	var got []uint64
	for _, e := range tree.ReserveEntries {
		got = append(got, e.Address)
	}
	for _, tt := range []struct {
		address uint64
		want    bool
	}{{0x1000, true}, {0x5000000, false}, {0x6000000, false}} {
		found := false
		for _, a := range got {
			found = found || a == tt.address
		}
		if found != tt.want {
			t.Errorf("reservation at %#x: %v, want %v (all: %#x)", tt.address, found, tt.want, got)
		}
	}
}

// TestPPC64LEArchive puts the archive in front of the initrd, and alone if there
// is no initrd.
func TestPPC64LEArchive(t *testing.T) {
	m, target := captured(t, "ppc64le", "pseries-radix-4k"), ppc64leTestTarget(t)
	l := &List{Archive: bytes.Repeat([]byte("a"), 0x12345)}
	named := func(p *Plan) Range {
		tree, err := ParseTree(needSegment(t, p, SegmentFDT).Data)
		if err != nil {
			t.Fatal(err)
		}
		chosen := child(tree.RootNode, "chosen")
		if _, ok := property(chosen, fdtListProperty); ok {
			t.Errorf("%s is there", fdtListProperty)
		}
		start, _ := number(chosen, "linux,initrd-start")
		end, _ := number(chosen, "linux,initrd-end")
		return Range{start, end}
	}
	p, err := ppc64le{}.Plan(m, target, l)
	if err != nil {
		t.Fatal(err)
	}
	checkPlaced(t, p)
	checkArchive(t, p, l, named(p))

	target.Initrd = nil
	if p, err = (ppc64le{}).Plan(m, target, l); err != nil {
		t.Fatal(err)
	}
	archive := needSegment(t, p, SegmentArchive)
	if got, want := named(p), rangeOf(archive.Start, Addr(len(l.Archive))); got != want {
		t.Errorf("the tree names %v, want %v", got, want)
	}
}
