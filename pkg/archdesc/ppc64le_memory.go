// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/u-root/u-root/pkg/dt"
)

// ppc64leMemory describes the machine's memory, from its device tree.
type ppc64leMemory struct {
	memory
	// firmware is the part of reserved that the reservation map has to
	// name: the next kernel learns of it nowhere else.
	firmware []Range
	// realMode is the end of the memory that CPUs reach with the MMU off.
	realMode Addr
	opal     ppc64leOPAL
}

// ppc64leOPAL holds the addresses at which a kernel calls the firmware of
// bare-metal machines, and is zero on pseries.
type ppc64leOPAL struct{ base, entry Addr }

// readPPC64LEMemory reads the live tree. The target's own tree does not matter
// here, because memory and firmware are those of the machine.
func readPPC64LEMemory(m *Machine) (*ppc64leMemory, error) {
	root := m.Tree
	if root == nil {
		return nil, fmt.Errorf("%w: the machine has none", ErrBadTree)
	}
	nodes, err := fdtMemory(root)
	if err != nil {
		return nil, err
	}
	lmbs, err := ppc64leLMBs(child(root, "ibm,dynamic-reconfiguration-memory"))
	if err != nil {
		return nil, err
	}
	mem := &ppc64leMemory{realMode: math.MaxUint64}
	mem.ram = newRanges(append(nodes, lmbs...)).intersect(m.RAM)
	if len(mem.ram) == 0 {
		return nil, fmt.Errorf("%w: its memory and /proc/iomem have nothing in common", ErrBadTree)
	}
	if err := mem.reserveKernel(m); err != nil {
		return nil, err
	}
	if opal := child(root, "ibm,opal"); opal != nil {
		mem.opal.base, _ = number(opal, "opal-base-address")
		mem.opal.entry, _ = number(opal, "opal-entry-address")
	} else {
		// Under a hypervisor with hash page tables, real mode ends with
		// the first memory block (arch/powerpc/mm/book3s64).
		mem.realMode = lowestEnd(nodes)
	}
	return mem, mem.reserveFirmware(root)
}

// reserveKernel keeps off the running kernel's memory.
func (mem *ppc64leMemory) reserveKernel(m *Machine) error {
	chosen := child(m.Tree, "chosen")
	end, ok := number(chosen, "linux,kernel-end")
	if !ok {
		return fmt.Errorf("%w: /chosen/linux,kernel-end is missing, the running kernel cannot kexec", ErrBadTree)
	}
	// Below this address kexec_load(2) fails with ETXTBSY
	// (arch/powerpc/kexec/core_64.c).
	mem.reserve("running kernel", Range{0, end})
	mem.reserve("hash table", pair(chosen, "linux,htab-base", "linux,htab-size"))
	mem.reserve("crash kernel", pair(chosen, "linux,crashkernel-base", "linux,crashkernel-size"))
	mem.reserve("crash kernel", m.CrashKernel...)
	return nil
}

// reserveFirmware keeps off the firmware's memory: RTAS, OPAL, TCE tables, the
// log of the firmware's measurements, /reserved-memory and reserved-ranges.
func (mem *ppc64leMemory) reserveFirmware(root *dt.Node) error {
	mem.keep("RTAS", pair(child(root, "rtas"), "linux,rtas-base", "rtas-size"))
	mem.keep("OPAL", pair(child(root, "ibm,opal"), "opal-base-address", "opal-runtime-size"))
	_ = root.Walk(func(n *dt.Node) error {
		if text(n, "device_type") == "pci" {
			mem.keep("TCE table", pair(n, "linux,tce-base", "linux,tce-size"))
		}
		mem.keep("TPM event log", mem.eventLog(n))
		return nil
	})
	nodes, err := fdtReserved(root)
	if err != nil {
		return err
	}
	for _, r := range nodes {
		mem.reserve(r.Why, r.Range)
	}
	v, _ := property(root, "reserved-ranges")
	rs, err := regions(v, 2, 2)
	if err != nil {
		return fmt.Errorf("/reserved-ranges: %w", err)
	}
	mem.keep("firmware (reserved-ranges)", rs...)
	return nil
}

// keep reserves ranges now and in the next kernel's reservation map.
func (mem *ppc64leMemory) keep(why string, rs ...Range) {
	mem.reserve(why, rs...)
	for _, r := range rs {
		if !r.Empty() {
			mem.firmware = append(mem.firmware, r)
		}
	}
}

// eventLog returns the range of the firmware's event log, if the node names
// one. Kernels reserve the log in the map only, and the next kernel reads it
// again. On pseries, prom_init writes the properties in the byte order of its
// own kernel; on powernv, skiboot writes them big-endian. The order that gives
// a range in memory is right.
func (mem *ppc64leMemory) eventLog(n *dt.Node) Range {
	base, okB := property(n, "linux,sml-base")
	size, okS := property(n, "linux,sml-size")
	if !okB || !okS || len(base) != 8 || len(size) != 4 {
		return Range{}
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if r := rangeOf(Addr(order.Uint64(base)), Addr(order.Uint32(size))); mem.ram.Contains(r) {
			return r
		}
	}
	return Range{}
}

// reserveNext keeps off what the next kernel, of size bytes, uses before it
// looks at its device tree: it first moves itself down to address 0.
func (mem *ppc64leMemory) reserveNext(size Addr, cmdline string) {
	mem.reserve("next kernel, when it has moved down", Range{0, size})
	mem.reserve("next kernel's crash kernel", ppc64leCrashKernel(cmdline, mem.realMode, mem.opal != ppc64leOPAL{}))
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

// Flags of a logical memory block (arch/powerpc/include/asm/drmem.h).
const (
	ppc64leLMBAssigned = 0x8
	ppc64leLMBReserved = 0x80
)

// ppc64leLMBs reads /ibm,dynamic-reconfiguration-memory, which may be nil. The
// first form has an entry for each block, the second one for each run of
// blocks.
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

// ppc64leMemoryGranule is what kernels round mem= down to, in bytes
// (arch/powerpc/kernel/prom.c).
const ppc64leMemoryGranule = 16 << 20

// ppc64leMemoryLimit returns the end of the memory that a kernel with this
// command line uses. Its mem= is an address.
func ppc64leMemoryLimit(cmdline string) Addr {
	limit, ok := sizeParam(cmdline, "mem")
	if limit &^= ppc64leMemoryGranule - 1; !ok || limit == 0 {
		return math.MaxUint64
	}
	return limit
}

// ppc64leCrashKernel returns the memory that a kernel with this command line
// reserves for a crash kernel. The kernel does so before it reads the
// reservation map, and would free a list there into the crash kernel's memory.
// The default place is that of get_crash_base in arch/powerpc/kexec/core.c.
func ppc64leCrashKernel(line string, realMode Addr, bareMetal bool) Range {
	size, base := crashKernelParam(line)
	if size == 0 {
		return Range{}
	}
	if base == 0 && bareMetal {
		base = min(realMode/2, 128<<20)
	}
	if base == 0 {
		base = min(realMode/2, 512<<20)
	}
	return rangeOf(base, size)
}
