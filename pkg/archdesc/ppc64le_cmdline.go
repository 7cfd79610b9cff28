// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import "strings"

// ppc64MemoryGranule is what mem= is rounded down to
// (arch/powerpc/kernel/prom.c).
const ppc64MemoryGranule = 16 << 20

// ppc64CrashKernel is where a kernel with this command line keeps memory for
// a crash kernel. It does so before it looks at the reservation map, so that a
// list there would be freed into the crash kernel's memory. Of several sizes
// the largest is taken; the default place is get_crash_base of
// arch/powerpc/kexec/core.c.
func ppc64CrashKernel(cmdline string, realMode Addr, bareMetal bool) Range {
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
