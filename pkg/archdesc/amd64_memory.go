// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/cmdline"
)

const (
	// amd64Page is the only page size of kexec_load(2), in bytes.
	amd64Page = 4 << 10

	// amd64Low is the end of the memory that kernels keep for real mode and
	// the firmware.
	amd64Low = 1 << 20

	// amd64MemoryEnd is MAXMEM with page tables of 4 levels: segments may
	// not lie above it (arch/x86/include/asm/kexec.h).
	amd64MemoryEnd = 1 << 46

	// amd64RandomLow is where physical KASLR begins at the latest. It begins
	// at the kernel's own address if that is lower
	// (choose_random_location of arch/x86/boot/compressed/kaslr.c).
	amd64RandomLow = 512 << 20
)

// amd64BadPages cannot be reached by the graphics of Sandy Bridge CPUs. Kernels
// reserve them late (trim_snb_memory of arch/x86/kernel/setup.c).
var amd64BadPages = []Addr{0x20050000, 0x20110000, 0x20130000, 0x20138000, 0x40004000}

// readAMD64Memory returns the memory that the firmware's map and the running
// kernel both call RAM, and what of it must be left alone. line is the next
// kernel's command line.
func readAMD64Memory(m *Machine, line string) (*memory, error) {
	var ram []Range
	for _, e := range m.PC.Map {
		if e.Type == mapRAM {
			ram = append(ram, e.Range)
		}
	}
	mem := &memory{ram: newRanges(ram).intersect(m.RAM)}
	for _, e := range m.PC.Map {
		if e.Type != mapRAM {
			mem.ram = mem.ram.minus(e.Range)
		}
	}
	if len(mem.ram) == 0 {
		return nil, fmt.Errorf("%w: the firmware's memory map and /proc/iomem have no memory in common", ErrMachine)
	}
	mem.reserve("real mode and firmware", Range{0, amd64Low})
	mem.reserve("crash kernel", m.CrashKernel...)
	mem.reserve("TPM event log", m.PC.EventLog)
	mem.reserveEFI(m.PC.EFI)
	for _, page := range amd64BadPages {
		if r := rangeOf(page, amd64Page); mem.ram.Contains(r) {
			mem.reserve("bad page of Sandy Bridge", r)
		}
	}
	used := mem.ram.intersect(Ranges{{0, amd64MemoryLimit(line)}})
	if size, base := cmdline.CrashKernel(line, uint64(used.Size())); base != 0 {
		// A list there would make the kernel reserve no crash kernel.
		mem.reserve("next kernel's crash kernel", rangeOf(Addr(base), Addr(size)))
	}
	mem.reserveMapParams(line)
	return mem, nil
}

// reserveEFI keeps off what the next kernel is told to map for EFI. Some of it the
// firmware's map and the running kernel both call RAM: tables that the kernel
// found in memory of the boot services, and reserved late (efi_arch_mem_reserve of
// arch/x86/platform/efi/quirks.c).
func (mem *memory) reserveEFI(efi *EFI) {
	if efi == nil {
		return
	}
	for _, e := range efi.Map {
		r := rangeOf(Addr(e.PhysAddr), Addr(min(e.Pages, math.MaxUint64/amd64Page))*amd64Page)
		for _, r := range mem.ram.intersect(Ranges{r}) {
			mem.reserve("EFI", r)
		}
	}
}

// reserveMapParams keeps off what memmap= takes from the next kernel
// (parse_memmap_one of arch/x86/kernel/e820.c). Of memmap=exactmap only the
// ranges that follow it are left.
func (mem *memory) reserveMapParams(line string) {
	const why = "next kernel's memmap="
	var exact []Range
	given := false
	for value := range amd64MapParams(line) {
		if strings.HasPrefix(value, "exactmap") {
			exact, given = nil, true
			continue
		}
		size, rest, ok := cmdline.Size(value)
		if !ok || rest == "" {
			continue
		}
		start, _, _ := cmdline.Size(rest[1:])
		r := rangeOf(Addr(start), Addr(size))
		switch rest[0] {
		case '@':
			exact = append(exact, r)
		case '#', '$', '!', '%':
			mem.reserve(why, amd64Pages(r))
		}
	}
	if given {
		rest := Ranges{{0, math.MaxUint64}}
		for _, r := range exact {
			rest = rest.minus(r)
		}
		for _, r := range rest.intersect(mem.ram) {
			mem.reserve(why, r)
		}
	}
}

// amd64Pages widens a range to whole pages.
func amd64Pages(r Range) Range {
	end, ok := alignUp(r.End, amd64Page)
	if !ok {
		end = math.MaxUint64
	}
	return Range{r.Start &^ (amd64Page - 1), end}
}

// amd64MapParams yields the parts of all memmap= parameters.
func amd64MapParams(line string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for w := range cmdline.Params(line) {
			if !w.Is("memmap") {
				continue
			}
			for value := range strings.SplitSeq(w.Value, ",") {
				if !yield(value) {
					return
				}
			}
		}
	}
}

// amd64MemoryLimit returns the end of the memory that a kernel with this command
// line uses: the least of all mem= and of memmap= with nothing but a size
// (parse_memopt and parse_memmap_one of arch/x86/kernel/e820.c).
func amd64MemoryLimit(line string) Addr {
	limit := Addr(amd64MemoryEnd)
	for w := range cmdline.Params(line) {
		if size, _, _ := cmdline.Size(w.Value); w.Is("mem") && size != 0 {
			limit = min(limit, Addr(size))
		}
	}
	for value := range amd64MapParams(line) {
		size, rest, ok := cmdline.Size(value)
		if ok && (rest == "" || strings.IndexByte("@#$!%", rest[0]) < 0) {
			limit = min(limit, Addr(size))
		}
	}
	return limit &^ (amd64Page - 1)
}

// amd64NoKASLR reports whether the unpacker of a kernel with this command line
// leaves the kernel where it was loaded. It searches the whole text. White space is
// what myisspace of arch/x86/boot/cmdline.c says: no byte above the blank.
func amd64NoKASLR(line string) bool {
	space := func(c rune) bool { return c <= ' ' }
	return slices.Contains(strings.FieldsFunc(line, space), "nokaslr")
}

// stays reports whether the unpacker leaves the kernel where it was loaded. An ELF
// kernel has none. With the state of EFI, the unpacker picks a place by EFI's
// memory map, and that of the runtime services has no free memory.
func (k *amd64Image) stays(pc *PC, cmdline string) bool {
	const conventional = 7 // EFI_CONVENTIONAL_MEMORY
	free := func(e EFIMapEntry) bool { return e.Type == conventional }
	return k.header == nil || amd64NoKASLR(cmdline) || k.efi(pc) && !slices.ContainsFunc(pc.EFI.Map, free)
}

// places finds a place for the kernel, and one for a list of the given size
// unless it is 0.
//
// The kernel's unpacker picks a random place for the kernel. It avoids what it
// was told of, the list excepted: no kernel's unpacker knows SETUP_IMA. But it
// picks nothing below the place where it was loaded, or below 512 MiB. So the
// list goes to the lowest room below 512 MiB, and the kernel above it, higher
// than it would have to be if there is no other way.
//
// stays says that the kernel is not moved. Then the list may lie anywhere.
func (k *amd64Image) places(p *placer, list, limit Addr, stays bool) (kernel, buffer Range, err error) {
	size, _ := alignUp(k.size, amd64Page)
	above := func(low Addr) (Range, bool) {
		return p.free.find(size, k.align, Range{max(low, k.preferred, amd64Low), limit})
	}
	kernel, ok := above(0)
	if !ok {
		return kernel, buffer, p.noRoom(SegmentKernel, size, Range{max(k.preferred, amd64Low), limit})
	}
	listSize, ok := alignUp(list, amd64Page)
	if list == 0 {
		return kernel, buffer, nil
	}
	low := Range{amd64Low, min(limit, amd64RandomLow)}
	if ok {
		if buffer, ok = p.free.find(listSize, amd64Page, low); ok {
			if r, ok := above(buffer.End); ok {
				return r, buffer, nil
			}
		}
		anywhere := p.free.minus(kernel)
		if buffer, ok = anywhere.find(listSize, amd64Page, Range{amd64Low, limit}); ok && stays {
			return kernel, buffer, nil
		}
	}
	none := p.noRoom(SegmentList, list, Range{amd64Low, limit})
	if none.unsafe = ok; ok {
		none.Within = low
	}
	return kernel, buffer, none
}
