// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"strings"

	"github.com/imaboot/imaboot/pkg/cmdline"
)

// ppc64MemoryGranule is what mem= is rounded down to
// (arch/powerpc/kernel/prom.c).
const ppc64MemoryGranule = 16 << 20

// ppc64CrashKernel is where a kernel with this command line keeps memory for
// a crash kernel. It does so before it looks at the reservation map, so that a
// list there would be freed into the crash kernel's memory. Of several sizes
// the largest is taken; the default place is get_crash_base of
// arch/powerpc/kexec/core.c. The kernel searches the whole text for the
// parameter, also what follows "--" (get_last_crashkernel of
// kernel/crash_reserve.c).
func ppc64CrashKernel(line string, realMode Addr, bareMetal bool) Range {
	value := ""
	for w := range cmdline.Words(line) {
		if w.Is("crashkernel") {
			value = w.Value
		}
	}
	sizes, offset, explicit := strings.Cut(value, "@")
	var size Addr
	for s := range strings.SplitSeq(sizes, ",") {
		if _, after, ok := strings.Cut(s, ":"); ok {
			s = after
		}
		if n, _, ok := cmdline.Size(s); ok {
			size = max(size, Addr(n))
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
		if n, _, ok := cmdline.Size(offset); ok && n != 0 {
			base = Addr(n)
		}
	}
	return rangeOf(base, size)
}
