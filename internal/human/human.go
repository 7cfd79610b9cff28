// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package human prints numbers for people.
package human

import (
	"fmt"
	"strings"
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
