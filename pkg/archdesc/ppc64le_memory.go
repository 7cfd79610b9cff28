// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/u-root/u-root/pkg/dt"
)

// ppc64leMemory is what the device tree says of memory.
type ppc64leMemory struct {
	// ram is what both the running kernel uses and the next will find.
	ram Ranges
	// reserved must not be written to.
	reserved []Region
	// firmware is the part of reserved that the next kernel must be told
	// of, since it finds it nowhere else.
	firmware []Range
	// realMode is the end of what CPUs reach with the MMU off.
	realMode Addr
	opal     ppc64leOPAL
}

// ppc64leOPAL is where bare-metal firmware is called; zero on pseries.
type ppc64leOPAL struct{ base, entry Addr }

// readPPC64LEMemory reads the live tree: firmware and memory are those of the
// machine, whatever tree the target is given.
func readPPC64LEMemory(m *Machine) (*ppc64leMemory, error) {
	root := m.Tree
	if root == nil {
		return nil, fmt.Errorf("%w: the machine has none", ErrBadTree)
	}
	nodes, err := memoryNodes(root)
	if err != nil {
		return nil, err
	}
	lmbs, err := ppc64leLMBs(child(root, "ibm,dynamic-reconfiguration-memory"))
	if err != nil {
		return nil, err
	}
	mem := &ppc64leMemory{ram: newRanges(append(nodes, lmbs...)).intersect(m.RAM), realMode: math.MaxUint64}
	if len(mem.ram) == 0 {
		return nil, fmt.Errorf("%w: its memory and /proc/iomem have nothing in common", ErrBadTree)
	}

	chosen := child(root, "chosen")
	kernelEnd, ok := number(chosen, "linux,kernel-end")
	if !ok {
		return nil, fmt.Errorf("%w: /chosen/linux,kernel-end is missing, the running kernel cannot kexec", ErrBadTree)
	}
	// kexec_load(2) answers ETXTBSY below this (arch/powerpc/kexec/core_64.c).
	mem.reserve(Range{0, kernelEnd}, "running kernel")
	mem.reservePair(chosen, "linux,htab-base", "linux,htab-size", "hash table", false)
	mem.reservePair(chosen, "linux,crashkernel-base", "linux,crashkernel-size", "crash kernel", false)
	for _, r := range m.CrashKernel {
		mem.reserve(r, "crash kernel")
	}

	rtas := child(root, "rtas")
	mem.reservePair(rtas, "linux,rtas-base", "rtas-size", "RTAS", true)

	if opal := child(root, "ibm,opal"); opal != nil {
		mem.reservePair(opal, "opal-base-address", "opal-runtime-size", "OPAL", true)
		mem.opal.base, _ = number(opal, "opal-base-address")
		mem.opal.entry, _ = number(opal, "opal-entry-address")
	} else {
		// Under a hypervisor with hash page tables real mode ends with
		// the first memory block (arch/powerpc/mm/book3s64).
		mem.realMode = lowestEnd(nodes)
	}
	if err := mem.reserveNodes(root); err != nil {
		return nil, err
	}
	if v, ok := property(root, "reserved-ranges"); ok {
		rs, err := regions(v, 2, 2)
		if err != nil {
			return nil, fmt.Errorf("/reserved-ranges: %w", err)
		}
		for _, r := range rs {
			mem.reserve(r, "firmware (reserved-ranges)")
			mem.firmware = append(mem.firmware, r)
		}
	}
	return mem, nil
}

func (mem *ppc64leMemory) reserve(r Range, why string) {
	if !r.Empty() {
		mem.reserved = append(mem.reserved, Region{r, why})
	}
}

func (mem *ppc64leMemory) reservePair(n *dt.Node, base, size, why string, firmware bool) {
	b, okB := number(n, base)
	s, okS := number(n, size)
	if !okB || !okS || s == 0 {
		return
	}
	mem.reserve(rangeOf(b, s), why)
	if firmware {
		mem.firmware = append(mem.firmware, rangeOf(b, s))
	}
}

// reserveNodes finds what any node may own: TCE tables, the log of the
// firmware's measurements, and the children of /reserved-memory.
func (mem *ppc64leMemory) reserveNodes(root *dt.Node) error {
	err := root.Walk(func(n *dt.Node) error {
		if text(n, "device_type") == "pci" {
			mem.reservePair(n, "linux,tce-base", "linux,tce-size", "TCE table", true)
		}
		mem.reserveLog(n)
		return nil
	})
	if err != nil {
		return err
	}
	rm := child(root, "reserved-memory")
	if rm == nil {
		return nil
	}
	address, size, err := cells(rm)
	if err != nil {
		return err
	}
	for _, c := range rm.Children {
		v, ok := property(c, "reg")
		if !ok {
			continue
		}
		rs, err := regions(v, address, size)
		if err != nil {
			return fmt.Errorf("/reserved-memory/%s: %w", c.Name, err)
		}
		for _, r := range rs {
			mem.reserve(r, "reserved-memory/"+c.Name)
		}
	}
	return nil
}

// reserveLog keeps the firmware's event log (linux,sml-base): kernels since
// the log can be anywhere reserve it in the map only, and read it from the
// next kernel again. On pseries prom_init writes it in the byte order of the
// kernel that it is part of, on powernv skiboot writes big-endian.
func (mem *ppc64leMemory) reserveLog(n *dt.Node) {
	base, okB := property(n, "linux,sml-base")
	size, okS := property(n, "linux,sml-size")
	if !okB || !okS || len(base) != 8 || len(size) != 4 {
		return
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		r := rangeOf(Addr(order.Uint64(base)), Addr(order.Uint32(size)))
		if mem.ram.Contains(r) {
			mem.reserve(r, "TPM event log")
			mem.firmware = append(mem.firmware, r)
			return
		}
	}
}

// memoryNodes are all ranges of the nodes memory and memory@….
func memoryNodes(root *dt.Node) ([]Range, error) {
	address, size, err := cells(root)
	if err != nil {
		return nil, err
	}
	var out []Range
	for _, n := range root.Children {
		if n.Name != "memory" && !strings.HasPrefix(n.Name, "memory@") {
			continue
		}
		v, _ := property(n, "reg")
		rs, err := regions(v, address, size)
		if err != nil {
			return nil, fmt.Errorf("/%s: %w", n.Name, err)
		}
		out = append(out, rs...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no memory in it", ErrBadTree)
	}
	return out, nil
}

func lowestEnd(rs []Range) Addr {
	low := rs[0]
	for _, r := range rs {
		if r.Start < low.Start {
			low = r
		}
	}
	return low.End
}

// Flags of a logical memory block: arch/powerpc/include/asm/drmem.h.
const (
	ppc64leLMBAssigned = 0x8
	ppc64leLMBReserved = 0x80
)

// ppc64leLMBs reads /ibm,dynamic-reconfiguration-memory, in its first form (one
// entry a block) and its second (one entry a run of blocks); n may be nil.
func ppc64leLMBs(n *dt.Node) ([]Range, error) {
	const entry = 24
	size, _ := number(n, "ibm,lmb-size")
	v, one := property(n, "ibm,dynamic-memory")
	if !one {
		var ok bool
		if v, ok = property(n, "ibm,dynamic-memory-v2"); !ok {
			return nil, nil
		}
	}
	if size == 0 || len(v) < 4 {
		return nil, fmt.Errorf("%w: dynamic memory without ibm,lmb-size or entries", ErrBadTree)
	}
	count := uint64(binary.BigEndian.Uint32(v))
	if v = v[4:]; count*entry > uint64(len(v)) {
		return nil, fmt.Errorf("%w: %d dynamic memory entries in %d bytes", ErrBadTree, count, len(v))
	}
	var out []Range
	for i := range count {
		e := v[i*entry:]
		blocks, base := Addr(1), Addr(binary.BigEndian.Uint64(e))
		if !one {
			blocks, base = Addr(binary.BigEndian.Uint32(e)), Addr(binary.BigEndian.Uint64(e[4:]))
		}
		flags := binary.BigEndian.Uint32(e[20:])
		if flags&ppc64leLMBAssigned == 0 || flags&ppc64leLMBReserved != 0 {
			continue
		}
		if size > (math.MaxUint64-base)/max(blocks, 1) {
			return nil, fmt.Errorf("%w: dynamic memory entry %d is beyond the address space", ErrBadTree, i)
		}
		out = append(out, rangeOf(base, blocks*size))
	}
	return out, nil
}

// ppc64leMemoryGranule is what mem= is rounded down to
// (arch/powerpc/kernel/prom.c).
const ppc64leMemoryGranule = 16 << 20

// ppc64leCrashKernel is where a kernel with this command line keeps memory for
// a crash kernel. It does so before it looks at the reservation map, so that a
// list there would be freed into the crash kernel's memory. Of several sizes
// the largest is taken; the default place is get_crash_base of
// arch/powerpc/kexec/core.c.
func ppc64leCrashKernel(cmdline string, realMode Addr, bareMetal bool) Range {
	value := Param(cmdline, "crashkernel")
	sizes, offset, explicit := strings.Cut(value, "@")
	var size Addr
	for s := range strings.SplitSeq(sizes, ",") {
		if _, after, ok := strings.Cut(s, ":"); ok {
			s = after
		}
		if n, _, ok := parseSize(s); ok {
			size = max(size, n)
		}
	}
	if size == 0 {
		return Range{}
	}
	base := min(realMode/2, 512<<20)
	if bareMetal {
		base = min(realMode/2, 128<<20)
	}
	if explicit {
		if n, _, ok := parseSize(offset); ok && n != 0 {
			base = n
		}
	}
	return rangeOf(base, size)
}
