// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"math"
	"slices"
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

// Param returns the last value of a parameter of a kernel's command line.
func Param(cmdline, name string) string {
	value := ""
	for word := range strings.FieldsSeq(cmdline) {
		if v, ok := strings.CutPrefix(word, name+"="); ok {
			value = v
		}
	}
	return value
}

// hasWord reports whether a command line has a parameter without a value.
func hasWord(cmdline, name string) bool {
	return slices.Contains(strings.Fields(cmdline), name)
}

// memoryLimit is the end of the memory that a kernel with this command line
// uses: a list beyond mem= would be lost. Kernels round it down to granule
// bytes, a power of two.
func memoryLimit(cmdline string, granule Addr) Addr {
	limit, _, ok := parseSize(Param(cmdline, "mem"))
	if limit &^= granule - 1; !ok || limit == 0 {
		return math.MaxUint64
	}
	return limit
}
