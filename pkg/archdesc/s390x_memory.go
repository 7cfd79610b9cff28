// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"fmt"
	"math"

	"github.com/imaboot/imaboot/pkg/cmdline"
)

const (
	// s390xHeap is the most memory, in bytes, that the decompressor uses
	// behind the end of the image (BOOT_HEAP_SIZE of
	// arch/s390/boot/decompressor.c, for bzip2).
	s390xHeap = 4 << 20

	// s390xAlign is _SEGMENT_SIZE, in bytes; kexec-tools aligns the initrd
	// to it.
	s390xAlign = 1 << 20
)

// readS390XMemory reserves what the target's decompressor works in: the image
// from address 0 to end, and its heap behind.
//
// Segments go to the top of memory, because behind the heap is the place where
// the kernel is unpacked, and its end is not in the image. The decompressor
// moves an initrd or list that starts below what it calls safe_addr
// (arch/s390/boot/startup.c, rescue_initrd). But it then moves the kernel up by
// as much as 1 MiB less 16 KiB, the low bits of the offset for KASLR, and
// overwrites what starts within 1 MiB of that address.
func readS390XMemory(m *Machine, end Addr) (*memory, error) {
	low, ok := alignUp(rangeOf(end, s390xHeap).End, s390xAlign)
	if !ok {
		return nil, fmt.Errorf("%w: image ends at %v", ErrNotKernel, end)
	}
	mem := &memory{ram: m.RAM, fromTop: true}
	mem.reserve("next kernel's image and decompressor", Range{0, low})
	mem.reserve("crash kernel", m.CrashKernel...)
	return mem, nil
}

// s390xMemoryLimit returns the end of the memory that a kernel with this
// command line uses. Its mem= is an address. The decompressor reads it, with
// rules of its own: it does not stop at "--", and - is not _
// (parse_boot_command_line of arch/s390/boot/ipl_parm.c).
func s390xMemoryLimit(line string) Addr {
	limit := Addr(0)
	for w := range cmdline.Words(line) {
		if w.HasValue && w.Name == "mem" {
			limit = parseSize(w.Value) &^ (s390xAlign - 1)
		}
	}
	if limit == 0 {
		return math.MaxUint64
	}
	return limit
}

// s390xCrashKernel returns the memory that a kernel with this command line
// reserves for a crash kernel at a place that is given there. A kernel that finds
// an initrd there reserves nothing; without a place it looks for free memory
// (reserve_crashkernel of arch/s390/kernel/setup.c). total is the end of its
// memory.
func s390xCrashKernel(line string, total Addr) Range {
	n, base := cmdline.CrashKernel(line, uint64(total))
	if base == 0 {
		return Range{}
	}
	r := rangeOf(Addr(base), Addr(n))
	r.End, _ = alignUp(r.End, s390xAlign)
	return r
}
