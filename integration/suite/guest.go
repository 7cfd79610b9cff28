// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package suite

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// guestLine finds a line of GuestLine in a test's output.
var guestLine = regexp.MustCompile(`guest: (\w+), ([0-9.]+) s(?:, Linux (.*))?\n`)

// GuestLine is what a test logs of a guest that has ended: its architecture, a
// GOARCH, the time that it ran, and the releases of the kernels that reported.
// The table of results is made of such lines.
func GuestLine(arch string, d time.Duration, releases []string) string {
	line := fmt.Sprintf("guest: %s, %.1f s", arch, d.Seconds())
	if len(releases) > 0 {
		line += ", Linux " + strings.Join(releases, " ")
	}
	return line
}

// parseGuestLine reads a line that GuestLine made. It returns false for any
// other line.
func parseGuestLine(line string) (arch string, d time.Duration, releases []string, ok bool) {
	m := guestLine.FindStringSubmatch(line)
	if m == nil {
		return "", 0, nil, false
	}
	seconds, err := strconv.ParseFloat(m[2], 64)
	if err != nil {
		return "", 0, nil, false
	}
	return m[1], time.Duration(seconds * float64(time.Second)), strings.Fields(m[3]), true
}
