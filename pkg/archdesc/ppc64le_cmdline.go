// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"math"
	"strconv"
	"strings"
)

// parseSize reads a number as memparse of lib/cmdline.c does: any base, and a
// suffix K to E. What follows is returned.
func parseSize(s string) (size Addr, rest string, ok bool) {
	n := strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("0123456789abcdfABCDFxX", r)
	})
	if n < 0 {
		n = len(s)
	}
	v, err := strconv.ParseUint(s[:n], 0, 64)
	if err != nil {
		return 0, s, false
	}
	rest = s[n:]
	if rest != "" {
		if i := strings.IndexByte("KMGTPE", rest[0]&^0x20); i >= 0 {
			shift := 10 * (i + 1)
			if v > math.MaxUint64>>shift {
				return 0, s, false
			}
			v, rest = v<<shift, rest[1:]
		}
	}
	return Addr(v), rest, true
}

// param returns the last value of a parameter of a kernel's command line.
func param(cmdline, name string) string {
	value := ""
	for word := range strings.FieldsSeq(cmdline) {
		if v, ok := strings.CutPrefix(word, name+"="); ok {
			value = v
		}
	}
	return value
}

// ppc64MemoryLimit is the end of the memory that a kernel with this command
// line uses: a list beyond mem= would be lost. The kernel rounds down to 16
// MiB (arch/powerpc/kernel/prom.c).
func ppc64MemoryLimit(cmdline string) Addr {
	limit, _, ok := parseSize(param(cmdline, "mem"))
	if limit &^= 16<<20 - 1; !ok || limit == 0 {
		return math.MaxUint64
	}
	return limit
}

// ppc64CrashKernel is where a kernel with this command line keeps memory for
// a crash kernel. It does so before it looks at the reservation map, so that a
// list there would be freed into the crash kernel's memory. Of several sizes
// the largest is taken; the default place is get_crash_base of
// arch/powerpc/kexec/core.c.
func ppc64CrashKernel(cmdline string, realMode Addr, bareMetal bool) Range {
	value := param(cmdline, "crashkernel")
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
