// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package human prints numbers and texts for people.
package human

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Count returns n and the noun that is counted, which is given in the plural:
// "1 entry", "2 entries".
func Count(n int, plural string) string {
	if n == 1 {
		one, ok := strings.CutSuffix(plural, "ies")
		if ok {
			return "1 " + one + "y"
		}
		return "1 " + strings.TrimSuffix(plural, "s")
	}
	return fmt.Sprintf("%d %s", n, plural)
}

// Size returns a number of bytes in a unit that leaves few digits.
func Size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// Wrap breaks a text at spaces into lines of at most width columns, each of
// which begins with indent spaces and ends with a newline. A word that is wider
// has a line of its own.
func Wrap(text string, indent, width int) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case column == 0:
			fmt.Fprintf(&b, "%*s", indent, "")
			column = indent
		case column+1+n > width:
			fmt.Fprintf(&b, "\n%*s", indent, "")
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String() + "\n"
}
