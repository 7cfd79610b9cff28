// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package cmdline

import (
	"math"
	"strconv"
	"strings"
)

// Size reads the number of bytes that s begins with, as memparse of
// lib/cmdline.c does: hexadecimal after 0x, octal after 0, else decimal, with a
// suffix K, M, G, T, P or E of either case for powers of 1024. It returns what
// follows, for callers that read on as the kernel does.
//
// Of digits that make 2^64 or more the kernel keeps the low 64 bits; a suffix that
// makes as much gives 2^64-1. If s begins with no number, ok is false, and the
// kernel takes it for 0.
func Size(s string) (size uint64, rest string, ok bool) {
	base, digits := radix(s)
	number := s
	if base == 16 {
		number = s[2:]
	}
	n := len(number) - len(strings.TrimLeft(number, digits))
	if n == 0 {
		return 0, s, false
	}
	for _, c := range []byte(number[:n]) {
		// radix gives only such digits.
		digit, _ := strconv.ParseUint(string(c), 16, 64)
		size = size*base + digit
	}
	rest = number[n:]
	shift := suffix(rest)
	if shift == 0 {
		return size, rest, true
	}
	if size > math.MaxUint64>>shift {
		return math.MaxUint64, rest[1:], true
	}
	return size << shift, rest[1:], true
}

// radix tells the base of the number that s begins with, and its digits
// (_parse_integer_fixup_radix of lib/kstrtox.c).
func radix(s string) (base uint64, digits string) {
	const hex = "0123456789abcdefABCDEF"
	switch {
	case len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' && strings.IndexByte(hex, s[2]) >= 0:
		return 16, hex
	case s != "" && s[0] == '0':
		return 8, "01234567"
	}
	return 10, "0123456789"
}

// suffix is the power of two of the suffix that s begins with, 0 without one.
func suffix(s string) int {
	if s == "" {
		return 0
	}
	return 10 * (strings.IndexByte("KMGTPE", s[0]&^0x20) + 1)
}
