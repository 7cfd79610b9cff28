// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package cmdline

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imaboot/imaboot/pkg/refusal"
)

var (
	// ErrControl means that a command line has a control character.
	ErrControl = refusal.New(refusal.BadCommandLine, "control character in the command line")
	// ErrAppend means that a kernel would not read appended words as they are.
	ErrAppend = refusal.New(refusal.BadCommandLine, "nothing can be appended to this command line")
)

// Check returns an error that wraps ErrControl if a command line holds a control
// character of ASCII, Latin-1 or Unicode. No kernel reads behind a NUL, and
// kernels print their command line on every console as it is. A tab is allowed:
// it separates words.
func Check(line string) error {
	for at, c := range line {
		if c == utf8.RuneError {
			c = rune(line[at]) // of Latin-1, or the first byte of U+FFFD
		}
		if unicode.IsControl(c) && c != '\t' {
			return fmt.Errorf("%w: byte %d is %#02x", ErrControl, at+1, line[at])
		}
	}
	return nil
}

// Append returns a command line with the words of appended behind those of line,
// so that the kernel reads all of them as parameters: in front of a "--" and what
// init gets, and outside a quote that line leaves open. Words behind a "--" in
// appended come last. If that is not possible without a change of what line says,
// or if one of them has a control character, the error wraps ErrAppend or
// ErrControl.
func Append(line, appended string) (string, error) {
	for _, s := range []string{line, appended} {
		if err := Check(s); err != nil {
			return "", err
		}
	}
	if appended = trim(appended); appended == "" {
		return line, nil
	}
	head, arguments := cutEnd(line)
	words, more := cutEnd(appended)
	out := join(closed(head), words)
	if arguments+more != "" {
		out = join(join(closed(out), end), join(closed(arguments), more))
	}
	want := slices.Concat(texts(Params(line)), texts(Params(appended)))
	if got := texts(Params(out)); !slices.Equal(got, want) {
		return "", fmt.Errorf("%w: a quote in %q is not closed", ErrAppend, line)
	}
	return out, nil
}

// cutEnd splits a line at its first "--", and drops the white space around that.
func cutEnd(line string) (params, arguments string) {
	for at, w := range words(line) {
		if w.isEnd() {
			return trim(line[:at]), trim(line[at+len(w.Text):])
		}
	}
	return trim(line), ""
}

// closed adds the quote that is missing at the end of a line.
func closed(line string) string {
	if strings.Count(line, `"`)%2 != 0 {
		return line + `"`
	}
	return line
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

// texts returns words as the kernel hands them on.
func texts(all iter.Seq[Word]) []string {
	var out []string
	for w := range all {
		out = append(out, w.String())
	}
	return out
}
