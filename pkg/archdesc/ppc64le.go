// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"fmt"
)

// ppc64le is the boot protocol of 64-bit little-endian POWER machines, under
// a hypervisor (pseries) and on bare metal (powernv). README.md describes it.
type ppc64le struct{}

const (
	// KEXEC_ARCH_PPC64 of include/uapi/linux/kexec.h, for either endianness.
	ppc64leKexecArch = 21 << 16

	// COMMAND_LINE_SIZE of arch/powerpc/include/asm/setup.h, with the NUL.
	ppc64leCommandLineSize = 2048

	// 64 KiB suits kernels of either page size, running and next: the next
	// one frees the list in pages of its own.
	ppc64leAlign = 64 << 10

	// listProperty is where drivers/of/kexec.c looks for the list, and a
	// text that only kernels that can restore hold.
	listProperty = "linux,ima-kexec-buffer"
)

// Name implements Arch.
func (ppc64le) Name() string { return "ppc64le" }

// Recognise implements Arch.
func (ppc64le) Recognise(image []byte) error {
	_, err := parsePPC64LEImage(image)
	return err
}

// Restores implements Arch.
func (ppc64le) Restores(image []byte) Support { return probeRestore(image, listProperty) }

// Unpacks implements Arch.
func (ppc64le) Unpacks(image []byte, config map[string]string) Support {
	return probeUnpack(image, config, true)
}

// ListOrder implements Arch.
func (ppc64le) ListOrder(string) binary.ByteOrder { return binary.LittleEndian }

// Plan implements Arch.
func (ppc64le) Plan(m *Machine, t *Target, l *List) (*Plan, error) {
	k, err := parsePPC64LEImage(t.Kernel)
	if err != nil {
		return nil, err
	}
	if len(t.Cmdline) >= ppc64leCommandLineSize {
		return nil, fmt.Errorf("%w: %d bytes, ppc64le kernels take %d", ErrCmdlineTooLong, len(t.Cmdline), ppc64leCommandLineSize-1)
	}
	mem, err := readPPC64LEMemory(m)
	if err != nil {
		return nil, err
	}
	// The next kernel moves itself down to 0 and must not meet its own
	// device tree, initrd or list there.
	reserved := append(mem.reserved, Region{Range{0, k.size}, "next kernel, when it has moved down"})
	if crash := ppc64leCrashKernel(t.Cmdline, mem.realMode, mem.opal != ppc64leOPAL{}); !crash.Empty() {
		reserved = append(reserved, Region{crash, "next kernel's crash kernel"})
	}
	place := newPlacer(mem.ram, reserved, ppc64leAlign)
	all := Range{0, memoryLimit(t.Cmdline, ppc64leMemoryGranule)}
	low := Range{0, min(mem.realMode, all.End)}

	p := &Plan{
		Arch: "ppc64le", Flags: ppc64leKexecArch, Cmdline: t.Cmdline,
		RAM: mem.ram, Reserved: reserved,
	}
	kernel, err := place.place(SegmentKernel, k.size, low)
	if err != nil {
		return nil, err
	}
	for i, load := range k.loads {
		r := rangeOf(kernel.Start+load.offset, load.size)
		r.End, _ = alignUp(r.End, ppc64leAlign)
		name := SegmentKernel
		if i > 0 {
			name = fmt.Sprintf("%s.%d", SegmentKernel, i)
		}
		p.Segments = append(p.Segments, Segment{name, r, load.data})
	}
	add := func(name string, size Addr, data []byte, within Range) (Range, error) {
		r, err := place.place(name, size, within)
		if err == nil {
			p.Segments = append(p.Segments, Segment{name, r, data})
		}
		return r, err
	}

	trampoline, err := add(SegmentTrampoline, ppc64leTrampolineSize, nil, low)
	if err != nil {
		return nil, err
	}
	p.Entry = trampoline.Start

	tree, err := newPPC64LETree(m, t, mem)
	if err != nil {
		return nil, err
	}
	fdt, err := add(SegmentFDT, Addr(tree.size()), nil, low)
	if err != nil {
		return nil, err
	}
	initrd, err := p.placeInitrd(place, t, l, low)
	if err != nil {
		return nil, err
	}
	if !initrd.Empty() {
		tree.setInitrd(initrd)
		p.describeArchive(l, "FDT /chosen/linux,initrd-start")
	}
	if l != nil && l.Buffer != nil {
		// The list is read late, with the MMU on, and may lie higher.
		list, err := place.place(SegmentList, Addr(len(l.Buffer))+l.Room, low)
		if err != nil {
			list, err = place.place(SegmentList, Addr(len(l.Buffer))+l.Room, all)
		}
		if err != nil {
			return nil, err
		}
		p.Segments = append(p.Segments, Segment{SegmentList, list, l.Buffer})
		p.List = &Descriptor{Where: "FDT /chosen/" + listProperty, Range: list}
		tree.setList(list)
	}
	blob, err := tree.blob(fdt)
	if err != nil {
		return nil, err
	}
	code := ppc64leTrampoline(k.loads[0].data, fdt.Start, kernel.Start, mem.opal)
	for i := range p.Segments {
		switch p.Segments[i].Name {
		case SegmentFDT:
			p.Segments[i].Data = blob
		case SegmentTrampoline:
			p.Segments[i].Data = code
		}
	}
	return p, p.check(m)
}
