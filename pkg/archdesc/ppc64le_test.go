// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/u-root/u-root/pkg/dt"
)

// ppc64leTestTarget returns the same target for all machines, so that golden
// plans differ only by the machine.
func ppc64leTestTarget(t testing.TB) *Target {
	return &Target{
		KernelName: "vmlinux", Kernel: ppc64leTestImage(t, 0x2000, 0x123456, fdtListProperty),
		InitrdName: "initrd", Initrd: bytes.Repeat([]byte("i"), 0x54321),
		Cmdline: "console=hvc0 root=/dev/vda2",
		RNGSeed: bytes.Repeat([]byte{0xa5}, 128),
	}
}

func testList() *List { return &List{Buffer: bytes.Repeat([]byte("r"), 0x10001), Room: 0x20000} }

// TestPPC64LEPlans compares the plans for captured guests with golden files, on
// whatever host it runs.
func TestPPC64LEPlans(t *testing.T) {
	for _, name := range capturedNames(t, "ppc64le") {
		t.Run(name, func(t *testing.T) {
			m := captured(t, "ppc64le", name)
			p, err := ppc64le{}.Plan(m, ppc64leTestTarget(t), testList())
			if err != nil {
				t.Fatal(err)
			}
			golden(t, p, "ppc64le", name)
			checkPPC64LEPlan(t, m, p)
		})
	}
}

// checkPPC64LEPlan checks a plan with an initrd and a list.
func checkPPC64LEPlan(t *testing.T, m *Machine, p *Plan) {
	t.Helper()
	checkPlaced(t, p)
	segment := func(name string) Segment { return needSegment(t, p, name) }
	fdt, list, initrd, kernel := segment(SegmentFDT), segment(SegmentList), segment(SegmentInitrd), segment(SegmentKernel)
	tree, err := ParseTree(fdt.Data)
	if err != nil {
		t.Fatal(err)
	}
	chosen := child(tree.RootNode, "chosen")
	if got := text(chosen, "bootargs"); got != p.Cmdline {
		t.Errorf("bootargs %q, want %q", got, p.Cmdline)
	}
	if got, _ := property(chosen, fdtListProperty); !bytes.Equal(got, dt.PropertyRegion("", uint64(list.Start), uint64(list.Size())).Value) {
		t.Errorf("%s = %x, want %v", fdtListProperty, got, list.Range)
	}
	start, _ := number(chosen, "linux,initrd-start")
	end, _ := number(chosen, "linux,initrd-end")
	if want := rangeOf(initrd.Start, Addr(len(initrd.Data))); start != want.Start || end != want.End {
		t.Errorf("initrd [%v, %v), want %v", start, end, want)
	}
	reserved := map[Range]bool{}
	for _, e := range tree.ReserveEntries {
		reserved[rangeOf(Addr(e.Address), Addr(e.Size))] = true
	}
	for _, want := range []Range{fdt.Range, list.Range, {start, end}} {
		if !reserved[want] {
			t.Errorf("%v is not in the reservation map %v", want, tree.ReserveEntries)
		}
	}
	code := segment(SegmentTrampoline)
	if p.Entry != code.Start {
		t.Errorf("entry %v, trampoline at %v", p.Entry, code.Start)
	}
	if !bytes.Equal(code.Data[4:0x100], kernel.Data[4:0x100]) {
		t.Error("the trampoline does not hold the kernel's first bytes")
	}
	literals := code.Data[len(code.Data)-32:]
	if got := Addr(binary.LittleEndian.Uint64(literals)); got != fdt.Start {
		t.Errorf("trampoline's device tree %v, want %v", got, fdt.Start)
	}
	if got := Addr(binary.LittleEndian.Uint64(literals[8:])); got != kernel.Start {
		t.Errorf("trampoline's kernel %v, want %v", got, kernel.Start)
	}
	opal, _ := number(child(m.Tree, "ibm,opal"), "opal-base-address")
	if got := Addr(binary.LittleEndian.Uint64(literals[16:])); got != opal {
		t.Errorf("trampoline's OPAL base %v, want %v", got, opal)
	}
}

func TestPPC64LERefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Machine, *Target, *List)
		want error
		text string
	}{
		{"command line", func(_ *Machine, x *Target, _ *List) { x.Cmdline = strings.Repeat("x", 2048) }, ErrCmdlineTooLong, "2048 bytes, ppc64le kernels take 2047"},
		{"no kernel", func(_ *Machine, x *Target, _ *List) { x.Kernel = []byte("#!/bin/sh") }, ErrNotKernel, "no ELF"},
		{"kernel larger than memory", func(_ *Machine, x *Target, _ *List) { x.Kernel = ppc64leTestImage(t, 0x1000, 1<<40, "") }, ErrNoRoom, "segment kernel"},
		{"list larger than memory", func(_ *Machine, _ *Target, l *List) { l.Room = 1 << 40 }, ErrNoRoom, "segment ima-list"},
		{"more than half of the memory", func(_ *Machine, _ *Target, l *List) { l.Room = 1100 << 20 }, ErrNoRoom, "half of the memory"},
		{"no tree", func(m *Machine, _ *Target, _ *List) { m.Tree = nil }, ErrBadTree, "the machine has none"},
		{"no memory in the tree", func(m *Machine, _ *Target, _ *List) { child(m.Tree, "memory@0").Name = "other" }, ErrBadTree, "no memory"},
		{"odd memory", func(m *Machine, _ *Target, _ *List) {
			child(m.Tree, "memory@0").Update(dt.PropertyU32("reg", 1))
		}, ErrBadTree, "/memory@0"},
		{"cells", func(m *Machine, _ *Target, _ *List) { m.Tree.Update(dt.PropertyU32("#size-cells", 3)) }, ErrBadTree, "cells"},
		{"no kexec in the running kernel", func(m *Machine, _ *Target, _ *List) {
			child(m.Tree, "chosen").RemoveProperty("linux,kernel-end")
		}, ErrBadTree, "linux,kernel-end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, x, l := captured(t, "ppc64le", "pseries-radix-4k"), ppc64leTestTarget(t), testList()
			tt.edit(m, x, l)
			_, err := ppc64le{}.Plan(m, x, l)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.want, tt.text)
			}
			if _, ok := errors.AsType[*NoRoomError](err); ok {
				var b bytes.Buffer
				if err := WriteMap(&b, err); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(b.String(), "running kernel") {
					t.Errorf("the map does not show what is in the way:\n%s", b.String())
				}
			}
		})
	}
}

// TestPlanJSON checks that addresses are strings and segments have sizes.
func TestPlanJSON(t *testing.T) {
	p, err := ppc64le{}.Plan(captured(t, "ppc64le", "pseries-radix-4k"), ppc64leTestTarget(t), testList())
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"entry":"0x6f0000"`,
		`{"name":"kernel","start":"0x5c0000","end":"0x6f0000","bytes":8192}`,
		`"list":{"where":"FDT /chosen/linux,ima-kexec-buffer","start":"0x770000","end":"0x7b0000"}`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is not in %s", want, b)
		}
	}
}

// FuzzPPC64LEPlan plans with trees that no firmware would make. The result must
// be an error, or a plan whose segments are in free memory.
func FuzzPPC64LEPlan(f *testing.F) {
	for _, name := range capturedNames(f, "ppc64le") {
		b, err := os.ReadFile(filepath.Join("testdata", "ppc64le", name, "device-tree.dtb"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	target, list := ppc64leTestTarget(f), testList()
	f.Fuzz(func(t *testing.T, b []byte) {
		tree, err := ParseTree(b)
		if err != nil {
			return
		}
		m := &Machine{Arch: "ppc64le", PageSize: 0x10000, RAM: Ranges{{0, 1 << 32}}, Tree: tree.RootNode}
		p, err := ppc64le{}.Plan(m, target, list)
		if err != nil {
			return
		}
		if err := p.WriteText(io.Discard); err != nil {
			t.Error(err)
		}
		for _, s := range p.Segments {
			if !m.RAM.Contains(s.Range) {
				t.Errorf("segment %s %v is not in memory", s.Name, s.Range)
			}
			for _, r := range p.Reserved {
				if s.Overlaps(r.Range) {
					t.Errorf("segment %s %v overlaps %s %v", s.Name, s.Range, r.Why, r.Range)
				}
			}
		}
	})
}

func TestPPC64LERestores(t *testing.T) {
	for _, tt := range []struct {
		text string
		want bool
	}{{fdtListProperty, true}, {"linux,other", false}} {
		s := ppc64le{}.Restores(ppc64leTestImage(t, 0x2000, 0x2000, tt.text))
		if s.OK != tt.want || !strings.Contains(s.Evidence, fdtListProperty) {
			t.Errorf("with %q: %+v", tt.text, s)
		}
	}
}
