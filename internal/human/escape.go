// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package human

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable returns a text of somebody else in a form that is safe to print on a
// terminal. All that is no printable character is escaped as in Go's strings:
// control characters of ASCII, Latin-1 and Unicode, what changes the direction of
// text, all blanks but the space, and bytes that are not UTF-8.
func Printable(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		switch {
		case c == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case strconv.IsPrint(c):
			b.WriteRune(c)
		default:
			quoted := strconv.QuoteRune(c)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[n:]
	}
	return b.String()
}

// A Writer passes lines on in printable form. All text that imaboot prints goes
// through one. Each Write must hold whole characters.
type Writer struct{ Out io.Writer }

// Write implements io.Writer.
func (w Writer) Write(b []byte) (int, error) {
	lines := strings.Split(string(b), "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	if _, err := io.WriteString(w.Out, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(b), nil
}

// JSON returns a value as an object on several lines, all of whose characters are
// printable. Others are escaped in the strings that hold them.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	hidden := func(c rune) bool { return c != '\n' && !strconv.IsPrint(c) }
	if !bytes.ContainsFunc(b.Bytes(), hidden) {
		return b.Bytes(), nil
	}
	var out bytes.Buffer
	for _, c := range b.String() {
		switch first, second := utf16.EncodeRune(c); {
		case !hidden(c):
			out.WriteRune(c)
		case first == utf8.RuneError:
			fmt.Fprintf(&out, `\u%04x`, c)
		default:
			fmt.Fprintf(&out, `\u%04x\u%04x`, first, second)
		}
	}
	return out.Bytes(), nil
}

// IsTerminal reports whether what is written may be shown to somebody as it is:
// whether w is a device for characters, other than the one that shows nothing.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
