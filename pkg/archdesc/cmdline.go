// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"math"
	"strconv"
	"strings"
)

// parseSize reads a number as memparse of lib/cmdline.c does: of base 16 after
// 0x, 8 after 0, else 10, and a suffix K to E. What follows is returned.
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

// hasSetup reports whether a command line calls a function that the kernel
// declares by __setup without a value: any word that begins with its name does,
// and - is the same as _ (init/main.c, obsolete_checksetup). What comes after
// -- is init's.
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
