// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"fmt"
	"math"
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
// command line uses. Its mem= is an address.
func s390xMemoryLimit(cmdline string) Addr {
	limit, ok := sizeParam(cmdline, "mem")
	if limit &^= s390xAlign - 1; !ok || limit == 0 {
		return math.MaxUint64
	}
	return limit
}
