// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

// A Line is one that is neither empty nor a comment.
type Line struct {
	// Where is FILE:NUMBER, for notes.
	Where string
	// Text has no blanks around it.
	Text string
}

// Lines splits a text into lines. A line whose first character is # is a
// comment. If joins is set, a line that ends with a backslash continues on the
// next line.
func Lines(file, text string, joins bool) []Line {
	var all []Line
	number, joined := 0, ""
	var start int
	for s := range strings.Lines(text) {
		number++
		s = strings.TrimSpace(s)
		if joined == "" {
			start = number
			if strings.HasPrefix(s, "#") {
				continue
			}
		}
		if head, ok := strings.CutSuffix(s, `\`); joins && ok && len(joined) < MaxCmdline {
			joined += strings.TrimSpace(head) + " "
			continue
		}
		if s = strings.TrimSpace(joined + s); s != "" {
			all = append(all, Line{fmt.Sprintf("%s:%d", file, start), s})
		}
		joined = ""
	}
	if joined = strings.TrimSpace(joined); joined != "" {
		all = append(all, Line{fmt.Sprintf("%s:%d", file, start), joined})
	}
	return all
}

// Pair splits KEY=VALUE. It removes the quotes of a quoted value, and with them
// what follows, which is a comment. A line without an equals sign is all key.
// A quote that is not closed makes a note.
func Pair(c *entry.Config, l Line) (key, value string) {
	key, value, _ = strings.Cut(l.Text, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if value == "" || !strings.ContainsRune(`"'`, rune(value[0])) {
		return key, value
	}
	quoted, _, closed := strings.Cut(value[1:], value[:1])
	if !closed {
		c.Notef("%s: a quote is not closed", l.Where)
	}
	return key, quoted
}

// FirstWord splits off the first word at a blank or a tab.
func FirstWord(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// Timeout reads how long the loader waits for a key, in multiples of unit. It
// returns nil and adds a note if value is no number.
func Timeout(c *entry.Config, l Line, value string, unit time.Duration) *time.Duration {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		c.Notef("%s: timeout %q", l.Where, value)
		return nil
	}
	d := time.Duration(n) * unit
	return &d
}
