// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/u-root/u-root/pkg/dt"
)

const s390xTestSize = 0x321000

func s390xTestTarget() *Target {
	return &Target{
		KernelName: "bzImage", Kernel: s390xTestImage(s390xTestSize, s390xParmRestoresList),
		InitrdName: "initrd", Initrd: bytes.Repeat([]byte("i"), 0x54321),
		Cmdline: "console=ttysclp0 root=/dev/dasda1",
	}
}

// TestS390XPlans compares the plans for captured guests with golden files, for
// both carriers.
func TestS390XPlans(t *testing.T) {
	for _, name := range capturedNames(t, "s390x") {
		for _, tt := range []struct {
			carrier string
			list    *List
		}{{"kernel", testList()}, {"initramfs", &List{Archive: bytes.Repeat([]byte("a"), 0x12345)}}} {
			t.Run(name+" "+tt.carrier, func(t *testing.T) {
				m := captured(t, "s390x", name)
				p, err := s390x{}.Plan(m, s390xTestTarget(), tt.list)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, p, "s390x", name+"-"+tt.carrier)
				checkS390XPlan(t, p, tt.list)
			})
		}
	}
}

// checkS390XPlan checks a plan with an initrd and a list.
func checkS390XPlan(t *testing.T, p *Plan, l *List) {
	t.Helper()
	checkPlaced(t, p, "parameters", SegmentKernel, "lowcore")
	parm := needSegment(t, p, "parameters")
	if p.Entry != s390xEntry || parm.Start != s390xEntry {
		t.Errorf("entry %v, parameters at %v", p.Entry, parm.Start)
	}
	area := parm.Data[s390xParm-parm.Start:]
	field := func(offset int) Addr { return Addr(binary.BigEndian.Uint64(area[offset:])) }
	cmdline, _, _ := strings.Cut(string(area[s390xParmCmdline:]), "\x00")
	if cmdline != p.Cmdline {
		t.Errorf("command line %q, want %q", cmdline, p.Cmdline)
	}
	if field(s390xParmOldmemSize) != 0 {
		t.Error("the mark of a crash dump is left")
	}
	initrd := rangeOf(field(s390xParmInitrdStart), field(s390xParmInitrdSize))
	if l.Archive != nil {
		checkArchive(t, p, l, initrd)
		return
	}
	if s := needSegment(t, p, SegmentInitrd); initrd != rangeOf(s.Start, Addr(len(s.Data))) {
		t.Errorf("initrd %v, segment %v", initrd, s.Range)
	}
	list := needSegment(t, p, SegmentList)
	if got := rangeOf(field(s390xParmListStart), field(s390xParmListSize)); got != list.Range || p.List.Range != got {
		t.Errorf("list %v, segment %v, descriptor %v", got, list.Range, p.List.Range)
	}
}

func s390xTestMachine() *Machine {
	return &Machine{Arch: "s390x", PageSize: s390xPage, RAM: Ranges{{0, 1 << 30}}}
}

func TestS390XRefuses(t *testing.T) {
	put := func(offset int, v uint64) func(*Machine, *Target, *List) {
		return func(_ *Machine, x *Target, _ *List) { binary.BigEndian.PutUint64(x.Kernel[s390xParm+offset:], v) }
	}
	cut := func(n int) func(*Machine, *Target, *List) {
		return func(_ *Machine, x *Target, _ *List) { x.Kernel = x.Kernel[:n] }
	}
	for _, tt := range []struct {
		name string
		edit func(*Machine, *Target, *List)
		want error
		text string
	}{
		{"empty", cut(0), ErrNotKernel, "0 bytes, an s390x image has at least"},
		{"cut before the parameter area", cut(0x10400), ErrNotKernel, "has at least"},
		{"cut short", cut(0x200000), ErrNotKernel, "cut short: the trailer"},
		{"cut inside a page", cut(s390xTestSize - 1), ErrNotKernel, "cut short"},
		{"another file", func(_ *Machine, x *Target, _ *List) { x.Kernel = make([]byte, 1<<20) }, ErrNotKernel, `instead of "S390EP"`},
		{"another machine", func(_ *Machine, x *Target, _ *List) { x.Kernel = ppc64leTestImage(t, 0x2000, 0x2000, "") }, ErrNotKernel, "EM_PPC64"},
		{"ELF without boot code", func(_ *Machine, x *Target, _ *List) {
			copy(x.Kernel[s390xMagicAt:], "vmlinux")
			x.Kernel = s390xTestELF(t, x.Kernel, 0)
		}, ErrNotKernel, "a vmlinux without boot code"},
		{"ELF without a parameter area", func(_ *Machine, x *Target, _ *List) { x.Kernel = s390xTestELF(t, x.Kernel[:0x10100], 0) }, ErrNotKernel, "no parameter area"},
		{"limit beyond the image", func(m *Machine, x *Target, l *List) {
			x.Kernel = s390xTestImage(0x20000, 0)
			put(s390xParmCmdlineSize, 1<<20)(m, x, l)
		}, ErrNotKernel, "cut short: no room for a command line of 0x100000 bytes"},
		{"device tree", func(_ *Machine, x *Target, _ *List) { x.Tree = &dt.FDT{} }, ErrBadTree, "s390x kernels take none"},
		{"no mark", put(s390xParmFeatures, 0), ErrNotRestored, "no mark"},
		{"limit beyond reason", put(s390xParmCmdlineSize, math.MaxUint64), ErrNotKernel, "a command line of"},
		{"command line", func(_ *Machine, x *Target, _ *List) { x.Cmdline = strings.Repeat("x", 4096) }, ErrCmdlineTooLong, "4096 bytes, this kernel takes 4095"},
		{"command line of an old kernel", func(m *Machine, x *Target, l *List) {
			put(s390xParmCmdlineSize, 0)(m, x, l)
			x.Cmdline = strings.Repeat("x", 896)
		}, ErrCmdlineTooLong, "896 bytes, this kernel takes 895"},
		{"UTF-8", func(_ *Machine, x *Target, _ *List) { x.Cmdline = "name=ä" }, ErrCmdlineBytes, "byte 6 is 0xc3"},
		{"initrd larger than memory", func(m *Machine, x *Target, _ *List) {
			m.RAM = Ranges{{0, 8 << 20}}
			x.Initrd = make([]byte, 4<<20)
		}, ErrNoRoom, "segment initrd"},
		{"initrd beyond mem=", func(_ *Machine, x *Target, _ *List) {
			x.Cmdline, x.Initrd = "mem=16M", make([]byte, 12<<20)
		}, ErrNoRoom, "within [0x0, 0x1000000)"},
		{"archive beyond mem=", func(_ *Machine, x *Target, l *List) {
			x.Cmdline, x.Initrd = "mem=16M", make([]byte, 7<<20)
			l.Archive = make([]byte, 2<<20)
		}, ErrNoRoom, "segment initrd"},
		{"no memory where the kernel must be", func(m *Machine, _ *Target, _ *List) { m.RAM = Ranges{{16 << 20, 1 << 30}} }, ErrNoRoom, "segment parameters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, x, l := s390xTestMachine(), s390xTestTarget(), testList()
			tt.edit(m, x, l)
			_, err := s390x{}.Plan(m, x, l)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.want, tt.text)
			}
		})
	}
}

func TestS390XSupport(t *testing.T) {
	for _, tt := range []struct {
		name  string
		image []byte
		ok    bool
	}{
		{"mark", s390xTestImage(s390xTestSize, s390xParmRestoresList), true},
		{"mark in an ELF file", s390xTestELF(t, s390xTestImage(s390xTestSize, s390xParmRestoresList), 0), true},
		{"no mark", s390xTestImage(s390xTestSize, 0), false},
		{"another mark", s390xTestImage(s390xTestSize, 1<<63), false},
		{"no image", nil, false},
	} {
		if s := (s390x{}).Restores(tt.image); s.OK != tt.ok || s.Evidence == "" {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

func TestS390XListOrder(t *testing.T) {
	for _, tt := range []struct {
		cmdline string
		want    binary.ByteOrder
	}{
		{"quiet", binary.BigEndian},
		{"quiet ima_canonical_fmt", binary.LittleEndian},
		{"xima_canonical_fmt", binary.BigEndian},
		{"quiet -- ima_canonical_fmt", binary.BigEndian},
		// The kernel ignores the value.
		{"ima_canonical_fmt=0", binary.LittleEndian},
		{`"ima_canonical_fmt"`, binary.LittleEndian},
		{"ima-canonical-fmt", binary.LittleEndian},
		{"quiet\vima_canonical_fmt", binary.LittleEndian},
		{`x="ima_canonical_fmt "`, binary.BigEndian},
		{"ima-canonical-fmt", binary.LittleEndian},
	} {
		if got := (s390x{}).ListOrder(tt.cmdline); got != tt.want {
			t.Errorf("%q: %v", tt.cmdline, got)
		}
	}
}

// FuzzS390XPlan plans with images that no compiler would make. The result must be
// an error, or a plan whose segments are in memory.
func FuzzS390XPlan(f *testing.F) {
	const size = 0x20000
	small := s390xTestImage(size, s390xParmRestoresList)
	f.Add(small)
	f.Add(s390xTestELF(f, small, 0x1000))
	f.Add(append(bytes.Clone(small), moduleSignature...))
	l := testList()
	l.Archive = []byte("archive")
	f.Fuzz(func(t *testing.T, b []byte) {
		m := s390xTestMachine()
		p, err := s390x{}.Plan(m, &Target{Kernel: b, Cmdline: "quiet", Initrd: []byte("initrd")}, l)
		if err != nil {
			return
		}
		if err := p.WriteText(io.Discard); err != nil {
			t.Error(err)
		}
		for _, s := range p.Segments {
			if !m.RAM.Contains(s.Range) || Addr(len(s.Data)) > s.Size() {
				t.Error(fmt.Sprint(s.Name, s.Range, len(s.Data)))
			}
		}
	})
}
