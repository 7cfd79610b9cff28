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
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/u-root/u-root/pkg/dt"
)

// amd64BIOS returns a machine with a BIOS and 1 GiB, made by hand after what
// SeaBIOS tells.
func amd64BIOS() *Machine {
	page := make([]byte, amd64ParamsSize)
	for i := range page {
		page[i] = byte(i) | 1 // what is left over must not arrive
	}
	binary.LittleEndian.PutUint64(page[amd64ParamRSDP:], 0)
	clear(page[amd64ParamEFI:][:0x20])
	return &Machine{
		Arch: "amd64", PageSize: amd64Page, RAM: Ranges{{0x1000, 0x9fc00}, {1 << 20, 0x3ffdc000}},
		PC: &PC{BootParams: page, Map: []MapEntry{
			{Range{0, 0x9fc00}, mapRAM},
			{Range{0x9fc00, 0xa0000}, mapReserved},
			{Range{0xf0000, 0x100000}, mapReserved},
			{Range{1 << 20, 0x3ffdc000}, mapRAM},
			{Range{0x3ffdc000, 1 << 30}, mapReserved},
			{Range{0xb0000000, 0xc0000000}, mapReserved},
		}},
	}
}

// amd64EFI returns a machine with EFI and 6 GiB, made by hand after what OVMF
// tells.
func amd64EFI() *Machine {
	m := amd64BIOS()
	m.RAM = Ranges{{0x1000, 0xa0000}, {1 << 20, 0x800000}, {0x808000, 0x80b000}, {0x810000, 0x811000}, {0x900000, 0x7d000000}, {0x7e000000, 0x7ef00000}, {4 << 30, 6 << 30}}
	le := binary.LittleEndian
	le.PutUint32(m.PC.BootParams[amd64ParamEFI:], amd64EFI64)
	m.PC.BootParams[amd64ParamSecureBoot] = 2
	m.PC.RSDP = 0x7f77e014
	m.PC.EventLog = rangeOf(0x7ce00018, 64<<10)
	m.PC.Map = []MapEntry{
		{Range{0, 0xa0000}, mapRAM},
		{Range{1 << 20, 0x800000}, mapRAM},
		{Range{0x800000, 0x808000}, 4},
		{Range{0x808000, 0x80b000}, mapRAM},
		{Range{0x80b000, 0x80c000}, 4},
		{Range{0x810000, 0x900000}, 4},
		{Range{0x810000, 0x811000}, mapRAM},
		{Range{0x900000, 0x7eef0000}, mapRAM},
		{Range{0x7eef0000, 0x7f76e000}, mapReserved},
		{Range{0x7f76e000, 0x7f77f000}, 3},
		{Range{4 << 30, 6 << 30}, mapRAM},
	}
	m.PC.EFI = &EFI{FWVendor: 0x7f5ec018, Tables: 0x7f5ed018, SMBIOS: 0x7f000000, Map: []EFIMapEntry{
		{5, 0x7ef00000, 0xfffffffeffe00000, 0x100, 0x800000000000000f},
		{6, 0x7f500000, 0xfffffffeffc00000, 0x200, 0x800000000000000f},
	}}
	return m
}

// amd64TestMachines are those that are made by hand.
func amd64TestMachines() map[string]func() *Machine {
	return map[string]func() *Machine{
		"handmade-bios": amd64BIOS,
		"handmade-efi":  amd64EFI,
		"handmade-efi-noruntime": func() *Machine {
			m := amd64EFI()
			m.PC.EFI = nil
			return m
		},
	}
}

func amd64TestTarget(t testing.TB) *Target {
	return &Target{
		KernelName: "vmlinuz", Kernel: amd64TestKernel(t),
		InitrdName: "initrd", Initrd: bytes.Repeat([]byte("i"), 0x54321),
		Cmdline: "console=ttyS0 root=/dev/vda2",
		RNGSeed: bytes.Repeat([]byte{0xa5}, 128),
	}
}

// TestAMD64Plans compares plans with golden files, for both carriers.
func TestAMD64Plans(t *testing.T) {
	machines := amd64TestMachines()
	for _, name := range capturedNames(t, "amd64") {
		machines[name] = func() *Machine { return captured(t, "amd64", name) }
	}
	for name, machine := range machines {
		for carrier, l := range map[string]*List{"kernel": testList(), "initramfs": {Archive: bytes.Repeat([]byte("a"), 0x12345)}} {
			t.Run(name+" "+carrier, func(t *testing.T) {
				m := machine()
				p, err := amd64{}.Plan(m, amd64TestTarget(t), l)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, p, "amd64", name+"-"+carrier)
				checkAMD64Plan(t, m, p, l)
			})
		}
	}
}

// amd64Received is what a kernel reads from the segment with its parameters.
type amd64Received struct {
	page   []byte
	initrd Range
	nodes  map[uint32][]byte
	order  []uint32
}

// receiveAMD64 reads the parameters as a kernel does: it follows addresses.
func receiveAMD64(t testing.TB, p *Plan) *amd64Received {
	t.Helper()
	s, ok := p.Segment(SegmentParams)
	if !ok {
		t.Fatal("no parameters")
	}
	at := func(a Addr) []byte {
		if a < s.Start || a >= s.Start+Addr(len(s.Data)) {
			t.Fatalf("address %v is not in the segment %v", a, s.Range)
		}
		return s.Data[a-s.Start:]
	}
	le := binary.LittleEndian
	r := &amd64Received{page: at(s.Start)[:amd64ParamsSize], nodes: map[uint32][]byte{}}
	halves := func(low, high int) Addr {
		return Addr(le.Uint32(r.page[low:])) | Addr(le.Uint32(r.page[high:]))<<32
	}
	line := at(halves(amd64ParamCmdline, amd64ParamCmdlineHigh))
	if got, _, _ := strings.Cut(string(line), "\x00"); got != p.Cmdline || len(line) < amd64CmdlineRoom {
		t.Errorf("command line %q in %d bytes, want %q", got, len(line), p.Cmdline)
	}
	r.initrd = rangeOf(halves(amd64ParamInitrd, amd64ParamInitrdHigh), halves(amd64ParamInitrdSize, amd64ParamInitrdSizeHi))
	for next := Addr(le.Uint64(r.page[amd64ParamData:])); next != 0; {
		node := at(next)
		if next%8 != 0 {
			t.Errorf("node at %v", next)
		}
		kind, size := le.Uint32(node[8:]), le.Uint32(node[12:])
		r.order, r.nodes[kind] = append(r.order, kind), node[16:][:size]
		next = Addr(le.Uint64(node))
	}
	if efi := r.page[amd64ParamEFI:]; le.Uint32(efi) != 0 {
		const size = 20
		r.nodes[0] = at(halves(amd64ParamEFI+16, amd64ParamEFI+28))[:le.Uint32(efi[size:])]
	}
	return r
}

// checkAMD64Plan checks a plan with an initrd and a list.
func checkAMD64Plan(t *testing.T, m *Machine, p *Plan, l *List) {
	t.Helper()
	checkPlaced(t, p)
	le := binary.LittleEndian
	kernel, code, params := needSegment(t, p, SegmentKernel), needSegment(t, p, SegmentTrampoline), needSegment(t, p, SegmentParams)
	if p.Entry != code.Start || Addr(le.Uint64(code.Data[len(code.Data)-16:])) != params.Start || Addr(le.Uint64(code.Data[len(code.Data)-8:])) != kernel.Start+amd64Entry64 {
		t.Errorf("entry %v, trampoline %v to % x", p.Entry, code.Range, code.Data[len(code.Data)-16:])
	}
	if kernel.Start%(2<<20) != 0 || kernel.Start < 16<<20 || kernel.Size() != 20<<20 {
		t.Errorf("kernel %v", kernel.Range)
	}
	r := receiveAMD64(t, p)
	for at, want := range map[int]byte{0x1ef: 0, amd64HdrLoader: 0xd0, amd64HdrLoadFlags: 1, amd64ParamMapCount: byte(min(len(m.PC.Map), 128))} {
		if r.page[at] != want {
			t.Errorf("boot_params %#x is %#x, want %#x", at, r.page[at], want)
		}
	}
	if got := amd64Param64(r.page, amd64ParamRSDP); got != m.PC.RSDP {
		t.Errorf("RSDP %v, want %v", got, m.PC.RSDP)
	}
	if l.Archive != nil {
		checkArchive(t, p, l, r.initrd)
		if r.nodes[amd64DataList] != nil {
			t.Error("a node for the list")
		}
		return
	}
	if s := needSegment(t, p, SegmentInitrd); r.initrd != rangeOf(s.Start, Addr(len(s.Data))) {
		t.Errorf("initrd %v, segment %v", r.initrd, s.Range)
	}
	list := needSegment(t, p, SegmentList)
	node := r.nodes[amd64DataList]
	if got := rangeOf(Addr(le.Uint64(node)), Addr(le.Uint64(node[8:]))); got != list.Range || p.List.Range != got || len(node) != 16 {
		t.Errorf("list %v, segment %v, descriptor %v", got, list.Range, p.List.Range)
	}
	if list.End > min(kernel.Start, 512<<20) {
		t.Errorf("list %v, kernel %v: KASLR can reach it", list.Range, kernel.Range)
	}
}

// TestAMD64Page checks what of the running kernel's parameters is handed on, byte
// by byte.
func TestAMD64Page(t *testing.T) {
	for name, machine := range amd64TestMachines() {
		t.Run(name, func(t *testing.T) {
			m := machine()
			target := amd64TestTarget(t)
			p, err := amd64{}.Plan(m, target, testList())
			if err != nil {
				t.Fatal(err)
			}
			r := receiveAMD64(t, p)
			kept := []Range{{0, 2}, {4, 0x20}, {0x24, 0x40}, {0x140, 0x1c0}, {0x1e9, 0x1eb}, {0x23c, 0x240}, {0x290, 0x2d0}, {0xd00, 0xeec}}
			if m.PC.EFI != nil {
				kept = append(kept, Range{0x1c0, 0x1c8}, Range{0x1d8, 0x1dc}, Range{0x1ec, 0x1ed})
			}
			written := []Range{
				{0x70, 0x78}, {0x1c8, 0x1d8}, {0x1dc, 0x1e0}, {0x1e8, 0x1e9}, {0x210, 0x212}, {0x218, 0x220}, {0x228, 0x22c}, {0x250, 0x258},
				{0x2d0, 0x2d0 + 20*Addr(len(m.PC.Map))},
			}
			in := func(rs []Range, i int) bool {
				return slices.ContainsFunc(rs, func(r Range) bool { return r.Contains(rangeOf(Addr(i), 1)) })
			}
			for i, got := range r.page {
				want := byte(0)
				switch {
				case in(written, i):
					continue
				case in(kept, i):
					want = m.PC.BootParams[i]
				case i >= amd64HdrStart && i < amd64HdrLeast:
					want = target.Kernel[i]
				}
				if got != want {
					t.Errorf("byte %#x is %#x, want %#x", i, got, want)
				}
			}
		})
	}
}

// TestAMD64EFIState hands EFI's state on completely or not at all.
func TestAMD64EFIState(t *testing.T) {
	le := binary.LittleEndian
	for _, tt := range []struct {
		name string
		edit func(*Machine, *Target)
		want bool
	}{
		{"all", func(*Machine, *Target) {}, true},
		{"no runtime map", func(m *Machine, _ *Target) { m.PC.EFI = nil }, false},
		{"no tables", func(m *Machine, _ *Target) { m.PC.EFI.Tables = 0 }, false},
		{"32-bit firmware", func(m *Machine, _ *Target) { le.PutUint32(m.PC.BootParams[amd64ParamEFI:], 0x32334c45) }, false},
		{"kernel without EFI", func(_ *Machine, x *Target) { x.Kernel[amd64HdrXLoadFlags] &^= amd64EFIKexec }, false},
		{"ELF kernel", func(_ *Machine, x *Target) { x.Kernel = amd64TestELF(t) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, x := amd64EFI(), amd64TestTarget(t)
			tt.edit(m, x)
			p, err := amd64{}.Plan(m, x, nil)
			if err != nil {
				t.Fatal(err)
			}
			r := receiveAMD64(t, p)
			if !tt.want {
				if !bytes.Equal(r.page[amd64ParamEFI:][:0x20], make([]byte, 0x20)) || r.nodes[amd64DataEFI] != nil || r.page[amd64ParamSecureBoot] != 0 {
					t.Errorf("efi_info % x, nodes %v", r.page[amd64ParamEFI:][:0x20], r.order)
				}
				return
			}
			data := r.nodes[amd64DataEFI]
			var got []Addr
			for at := 0; at < len(data); at += 8 {
				got = append(got, Addr(le.Uint64(data[at:])))
			}
			if diff := cmp.Diff([]Addr{0x7f5ec018, 0, 0x7f5ed018, 0x7f000000, 0, 0, 0, 0, 0, 0, 0, 0}, got); diff != "" {
				t.Error(diff)
			}
			efiMap := r.nodes[0]
			if len(efiMap) != 80 || le.Uint64(efiMap) != 5 || le.Uint64(efiMap[40+16:]) != 0xfffffffeffc00000 || le.Uint32(r.page[amd64ParamEFI+8:]) != 40 {
				t.Errorf("map % x", efiMap)
			}
		})
	}
}

// TestAMD64MapEntries gives the kernel a map with more entries than boot_params
// has room for.
func TestAMD64MapEntries(t *testing.T) {
	for _, count := range []int{1, 127, 128, 129, 1000} {
		m := amd64BIOS()
		m.PC.Map = []MapEntry{{Range{1 << 20, 0x3ffdc000}, mapRAM}}
		for i := range count - 1 {
			m.PC.Map = append(m.PC.Map, MapEntry{rangeOf(1<<32+Addr(i)<<12, 1<<12), uint32(mapRAM + i%2)})
		}
		p, err := amd64{}.Plan(m, amd64TestTarget(t), testList())
		if err != nil {
			t.Fatal(err)
		}
		r := receiveAMD64(t, p)
		n := int(r.page[amd64ParamMapCount])
		b := append(bytes.Clone(r.page[amd64ParamMap:][:20*n]), r.nodes[amd64DataMap]...)
		var got []MapEntry
		for ; len(b) >= 20; b = b[20:] {
			le := binary.LittleEndian
			got = append(got, MapEntry{rangeOf(Addr(le.Uint64(b)), Addr(le.Uint64(b[8:]))), le.Uint32(b[16:])})
		}
		if diff := cmp.Diff(m.PC.Map, got); diff != "" || n != min(count, 128) {
			t.Errorf("%d entries, %d in the page: %s", count, n, diff)
		}
	}
}

// TestAMD64ELF enters an ELF kernel where the unpacker would. Nothing moves it, so
// that its list may lie anywhere.
func TestAMD64ELF(t *testing.T) {
	x, l := amd64TestTarget(t), testList()
	x.Kernel = amd64TestELF(t, amd64TextNode, amd64TextRestore)
	l.Room = 300 << 20
	m := amd64BIOS()
	m.PC.Map = append(m.PC.Map, MapEntry{Range{400 << 20, 401 << 20}, mapReserved})
	p, err := amd64{}.Plan(m, x, l)
	if err != nil {
		t.Fatal(err)
	}
	checkPlaced(t, p)
	code, kernel := needSegment(t, p, SegmentTrampoline), needSegment(t, p, SegmentKernel)
	if got := Addr(binary.LittleEndian.Uint64(code.Data[len(code.Data)-8:])); got != kernel.Start+0x10 {
		t.Errorf("entry %v, kernel at %v", got, kernel.Start)
	}
	if s := needSegment(t, p, "kernel.1"); s.Start != kernel.Start+0x200000 || s.Size() != 0x124000 {
		t.Errorf("second segment %v", s.Range)
	}
	r := receiveAMD64(t, p)
	if string(r.page[amd64HdrMagicAt:][:4]) != amd64HdrMagic || binary.LittleEndian.Uint16(r.page[amd64HdrVersion:]) != 0x20f {
		t.Error("no setup header")
	}
}

func TestAMD64Refuses(t *testing.T) {
	type edit = func(*Machine, *Target, *List)
	for _, tt := range []struct {
		name string
		edit edit
		want error
		text string
	}{
		{"no kernel", func(_ *Machine, x *Target, _ *List) { x.Kernel = []byte("#!/bin/sh") }, ErrNotKernel, "9 bytes"},
		{"command line", func(_ *Machine, x *Target, _ *List) { x.Cmdline = strings.Repeat("x", 2048) }, ErrCmdlineTooLong, "2048 bytes, this kernel takes 2047"},
		{"command line of a small kernel", func(_ *Machine, x *Target, _ *List) {
			binary.LittleEndian.PutUint32(x.Kernel[amd64HdrCmdline:], 255)
			x.Cmdline = strings.Repeat("x", 256)
		}, ErrCmdlineTooLong, "256 bytes, this kernel takes 255"},
		{"device tree", func(_ *Machine, x *Target, _ *List) { x.Tree = &dt.FDT{} }, ErrBadTree, "amd64 kernels take none"},
		{"another machine", func(m *Machine, _ *Target, _ *List) { m.PC = nil }, ErrMachine, "boot_params are missing"},
		{"no boot_params", func(m *Machine, _ *Target, _ *List) { m.PC.BootParams = nil }, ErrMachine, "boot_params are missing"},
		{"empty map", func(m *Machine, _ *Target, _ *List) { m.PC.Map = nil }, ErrMachine, "no memory in common"},
		{"map of other memory", func(m *Machine, _ *Target, _ *List) { m.RAM = Ranges{{2 << 30, 3 << 30}} }, ErrMachine, "no memory in common"},
		{"EFI tables nowhere", func(m *Machine, _ *Target, _ *List) { *m = *amd64EFI(); m.PC.EFI.Tables = 1 << 45 }, ErrMachine, "EFI's configuration tables at 0x200000000000"},
		{"5 levels", func(m *Machine, x *Target, _ *List) {
			m.PC.FiveLevel = true
			x.Kernel[amd64HdrXLoadFlags] &^= amd64FiveLevel
		}, ErrNotKernel, "page tables of 5 levels"},
		{"kernel larger than memory", func(_ *Machine, x *Target, _ *List) {
			binary.LittleEndian.PutUint32(x.Kernel[amd64HdrInitSize:], 2<<30)
		}, ErrNoRoom, "segment kernel needs 0x80000000 bytes"},
		{"kernel above mem=", func(_ *Machine, x *Target, _ *List) { x.Cmdline = "mem=32M" }, ErrNoRoom, "segment kernel"},
		{"list larger than memory", func(_ *Machine, _ *Target, l *List) { l.Room = 1 << 40 }, ErrNoRoom, "segment ima-list"},
		{"list and memory wrap", func(_ *Machine, _ *Target, l *List) { l.Room = 1<<64 - 1 - 0x10001 }, ErrNoRoom, "segment ima-list"},
		{"list larger than what KASLR leaves", func(m *Machine, _ *Target, l *List) {
			*m, l.Room = *amd64EFI(), 512<<20
			m.PC.EFI = nil
		}, ErrNoSafePlace, "segment ima-list needs 0x20010001 bytes within [0x100000, 0x20000000)"},
		{"list that pushes the kernel out of memory", func(m *Machine, _ *Target, l *List) {
			l.Room = 110 << 20
			m.RAM = Ranges{{1 << 20, 64 << 20}, {80 << 20, 200 << 20}}
		}, ErrNoSafePlace, "no place out of reach of the target's KASLR"},
		{"more than half of the memory", func(_ *Machine, x *Target, _ *List) { x.Initrd = make([]byte, 500<<20) }, ErrNoRoom, "half of the memory"},
		{"initrd beyond mem=", func(_ *Machine, x *Target, _ *List) { x.Cmdline, x.Initrd = "mem=40M", make([]byte, 40<<20) }, ErrNoRoom, "segment initrd"},
		{"nothing left by memmap=", func(_ *Machine, x *Target, _ *List) { x.Cmdline = "memmap=exactmap" }, ErrNoRoom, "segment kernel"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, x, l := amd64BIOS(), amd64TestTarget(t), testList()
			tt.edit(m, x, l)
			_, err := amd64{}.Plan(m, x, l)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.want, tt.text)
			}
			if _, ok := errors.AsType[*NoRoomError](err); ok {
				if err := WriteMap(io.Discard, err); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestAMD64Places checks the placement rule on random machines: the list ends below
// the kernel and below 512 MiB, unless the kernel stays where it is. If a plan is
// refused, a search of all places must find none either.
func TestAMD64Places(t *testing.T) {
	const seed, runs = 14, 3000
	rnd := rand.New(rand.NewPCG(seed, seed))
	pages := func(n int64) Addr { return Addr(rnd.Int64N(n)) * amd64Page }
	placed := 0
	for range runs {
		var ram []Range
		for at := pages(0x200); at < 1<<30; at += pages(0x8000) {
			r := rangeOf(at, amd64Page+pages(0x10000))
			ram, at = append(ram, r), r.End
		}
		mem := &memory{ram: newRanges(ram)}
		mem.reserve("real mode", Range{0, amd64Low})
		for range rnd.IntN(4) {
			mem.reserve("something", rangeOf(pages(0x40000), pages(0x1000)))
		}
		k := &amd64Image{header: []byte{0}, preferred: 16 << 20, align: 2 << 20 << rnd.IntN(4), size: amd64Page + pages(0x8000)}
		size, limit, stays := amd64Page+pages(0x8000<<rnd.IntN(3)), amd64Low+pages(0x60000), rnd.IntN(4) == 0
		p := newPlacer(mem, amd64Page)
		kernel, list, err := k.places(p, size, limit, stays)
		what := fmt.Sprintf("memory %v without %v, kernel %+v, list of %v below %v, stays %v: kernel %v, list %v", mem.ram, mem.reserved, k, size, limit, stays, kernel, list)
		rule := func(kernel, list Range) bool { return list.End <= min(kernel.Start, 512<<20) }
		if err != nil {
			if !errors.Is(err, ErrNoRoom) && !errors.Is(err, ErrNoSafePlace) {
				t.Fatal(err)
			}
			if k, l, ok := anyPlaces(p, k, size, limit); ok {
				t.Fatalf("%s: %v, but kernel %v and list %v", what, err, k, l)
			}
			continue
		}
		placed++
		if kernel.Overlaps(list) || !p.free.Contains(kernel) || !p.free.Contains(list) || max(kernel.End, list.End) > limit || list.Start < amd64Low {
			t.Fatal(what)
		}
		if kernel.Start%k.align != 0 || kernel.Start < k.preferred || kernel.Size() < k.size || list.Size() < size {
			t.Fatal(what)
		}
		if !rule(kernel, list) {
			if !stays {
				t.Fatal(what)
			}
			if k, l, ok := anyPlaces(p, k, size, limit); ok {
				t.Fatalf("%s: but kernel %v and list %v", what, k, l)
			}
		}
	}
	if placed < runs/4 {
		t.Errorf("only %d of %d machines had room", placed, runs)
	}
}

// anyPlaces tries every place of the kernel, and under it every one of the list.
func anyPlaces(p *placer, k *amd64Image, size, limit Addr) (kernel, list Range, ok bool) {
	start, _ := alignUp(k.preferred, k.align)
	for ; start < limit; start += k.align {
		kernel = rangeOf(start, k.size)
		if kernel.End > limit || !p.free.Contains(kernel) {
			continue
		}
		for _, r := range p.free {
			r = r.intersect(Range{amd64Low, min(start, 512<<20)})
			if !r.Empty() && r.Size() >= size {
				return kernel, rangeOf(r.Start, size), true
			}
		}
	}
	return Range{}, Range{}, false
}

// FuzzAMD64Plan plans for machines that no firmware would make. The result must be
// an error, or a plan whose segments are in free memory and whose parameters can
// be read.
func FuzzAMD64Plan(f *testing.F) {
	f.Add([]byte("\x00\x01\x01\xff\x01"), "mem=512M memmap=16M$0x2000000 crashkernel=64M@128M", uint32(1<<20), false)
	f.Add([]byte("\x00\x10\x02\x10\xf0\x01"), "memmap=exactmap,640K@0,512M@1M", uint32(64<<20), true)
	target := amd64TestTarget(f)
	f.Fuzz(func(t *testing.T, memmap []byte, line string, room uint32, efi bool) {
		m := amd64BIOS()
		if efi {
			m = amd64EFI()
		}
		if len(memmap) > 3*200 {
			return
		}
		for ; len(memmap) >= 3; memmap = memmap[3:] {
			m.PC.Map = append(m.PC.Map, MapEntry{rangeOf(Addr(memmap[0])<<22, Addr(memmap[1])<<20), uint32(memmap[2] % 4)})
		}
		x := *target
		x.Cmdline = line
		p, err := amd64{}.Plan(m, &x, &List{Buffer: []byte("list"), Room: Addr(room)})
		if err != nil {
			return
		}
		if err := p.WriteText(io.Discard); err != nil {
			t.Error(err)
		}
		checkPlaced(t, p)
		list, kernel := needSegment(t, p, SegmentList), needSegment(t, p, SegmentKernel)
		if list.End > min(kernel.Start, 512<<20) && !efi && !strings.Contains(line, "nokaslr") {
			t.Errorf("list %v, kernel %v", list.Range, kernel.Range)
		}
		if !strings.Contains(line, "\x00") {
			receiveAMD64(t, p)
		}
	})
}
