// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"math"
	"strconv"
	"strings"
)

// parseSize reads a number as memparse of lib/cmdline.c does: hexadecimal after
// 0x, octal after 0, else decimal, with an optional suffix from K to E. It
// returns the text that follows.
func parseSize(s string) (size Addr, rest string, ok bool) {
	base, digits := 10, "0123456789"
	switch {
	case len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X"):
		base, digits, s = 16, "0123456789abcdefABCDEF", s[2:]
	case len(s) > 1 && s[0] == '0':
		base, digits = 8, "01234567"
	}
	n := len(s) - len(strings.TrimLeft(s, digits))
	v, err := strconv.ParseUint(s[:n], base, 64)
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

// Param returns the last value of a parameter on a kernel's command line, or ""
// if it is not there.
func Param(cmdline, name string) string {
	value := ""
	for word := range strings.FieldsSeq(cmdline) {
		if v, ok := strings.CutPrefix(word, name+"="); ok {
			value = v
		}
	}
	return value
}

// hasSetup reports whether a command line triggers a handler that the kernel
// declares with __setup and a name without a value. Any word that begins with
// the name does, and a - equals a _ (init/main.c, obsolete_checksetup). Words
// after -- belong to init.
func hasSetup(cmdline, name string) bool {
	for word := range strings.FieldsSeq(cmdline) {
		if word == "--" {
			return false
		}
		if strings.HasPrefix(strings.ReplaceAll(word, "-", "_"), name) {
			return true
		}
	}
	return false
}

// sizeParam returns the size that a parameter's last value begins with.
func sizeParam(cmdline, name string) (Addr, bool) {
	size, _, ok := parseSize(Param(cmdline, name))
	return size, ok
}
