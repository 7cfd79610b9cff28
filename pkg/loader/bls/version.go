// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package bls

import (
	"cmp"
	"strings"
)

// compareVersions orders versions as the Version Format Specification says,
// https://uapi-group.org/specifications/specs/version_format_specification/.
// Except for separators, that is rpm's order.
func compareVersions(a, b string) int {
	for {
		a, b = strings.TrimLeftFunc(a, isOther), strings.TrimLeftFunc(b, isOther)
		if o, both := separator(&a, &b, '~'); o != 0 || both {
			if o != 0 {
				return o
			}
			continue
		}
		if a == "" || b == "" {
			return cmp.Compare(len(a), len(b))
		}
		again := false
		for _, sep := range []byte("-^.") {
			o, both := separator(&a, &b, sep)
			if o != 0 {
				return o
			}
			if again = both; both {
				break
			}
		}
		if again {
			continue
		}
		part := letters
		if isDigit(rune(a[0])) || isDigit(rune(b[0])) {
			part = digits
		}
		if o := part(&a, &b); o != 0 {
			return o
		}
	}
}

// separator removes a separator from both texts; if only one text has it, that
// text is the lower one.
func separator(a, b *string, sep byte) (order int, both bool) {
	inA, inB := strings.IndexByte(*a, sep) == 0, strings.IndexByte(*b, sep) == 0
	switch {
	case inA && inB:
		*a, *b = (*a)[1:], (*b)[1:]
		return 0, true
	case inA:
		return -1, false
	case inB:
		return 1, false
	}
	return 0, false
}

func digits(a, b *string) int {
	na, nb := take(a, isDigit), take(b, isDigit)
	na, nb = strings.TrimLeft(na, "0"), strings.TrimLeft(nb, "0")
	return cmp.Or(cmp.Compare(len(na), len(nb)), strings.Compare(na, nb))
}

func letters(a, b *string) int {
	return strings.Compare(take(a, isLetter), take(b, isLetter))
}

// take removes the leading characters of one kind.
func take(s *string, is func(rune) bool) string {
	rest := strings.TrimLeftFunc(*s, is)
	head := (*s)[:len(*s)-len(rest)]
	*s = rest
	return head
}

func isDigit(r rune) bool  { return '0' <= r && r <= '9' }
func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
func isOther(r rune) bool  { return !isDigit(r) && !isLetter(r) && !strings.ContainsRune("-.~^", r) }
