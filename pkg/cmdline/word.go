// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package cmdline reads and edits kernel command lines by the kernel's own
// rules: those of lib/cmdline.c and kernel/params.c.
package cmdline

import (
	"iter"
	"strings"
)

// end is the word behind which everything is an argument of init.
const end = "--"

// A Word is one word of a command line.
type Word struct {
	// Text is the word as it is written, with its quotes.
	Text string
	// Name is the parameter's name, and Value what follows the first = sign.
	// Neither has the quotes that enclose it or the whole word.
	Name, Value string
	// HasValue tells NAME= from NAME.
	HasValue bool
}

// String is the word without the quotes that enclose its value or all of it,
// as the kernel hands it to a __setup function or to init (repair_env_string
// of init/main.c).
func (w Word) String() string {
	if !w.HasValue {
		return w.Name
	}
	return w.Name + "=" + w.Value
}

// Is reports whether the word sets the named parameter. - and _ are equal in
// names (parameq of kernel/params.c).
func (w Word) Is(name string) bool { return canonical(w.Name) == canonical(name) }

func canonical(name string) string { return strings.ReplaceAll(name, "-", "_") }

// Words yields all words of a command line: the kernel's, the first "--" and
// what follows it, which init gets.
func Words(line string) iter.Seq[Word] {
	return func(yield func(Word) bool) {
		for _, w := range words(line) {
			if !yield(w) {
				return
			}
		}
	}
}

// Params yields the words that are the kernel's own: those in front of "--"
// (parse_args of kernel/params.c).
func Params(line string) iter.Seq[Word] {
	return func(yield func(Word) bool) {
		for w := range Words(line) {
			if w.isEnd() || !yield(w) {
				return
			}
		}
	}
}

func (w Word) isEnd() bool { return !w.HasValue && w.Name == end }

// words yields the words of a line with their offsets in bytes. The kernel reads
// nothing behind a NUL.
func words(line string) iter.Seq2[int, Word] {
	return func(yield func(int, Word) bool) {
		line, _, _ := strings.Cut(line, "\x00")
		at := skipSpaces(line, 0)
		for at < len(line) {
			n := wordLen(line[at:])
			if !yield(at, split(line[at:at+n])) {
				return
			}
			at = skipSpaces(line, at+n)
		}
	}
}

// wordLen is the length of the word that a line begins with. Double quotes,
// wherever they stand, keep white space together; the last may be missing.
// There is no escape character (next_arg of lib/cmdline.c).
func wordLen(line string) int {
	quoted := false
	for i := range len(line) {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && isSpace(c):
			return i
		}
	}
	return len(line)
}

// split takes a word apart as next_arg of lib/cmdline.c does. A quote at the
// word's start is removed with one at its end, and so is one at the value's
// start. All others stay. An = sign that is the first character ends no name.
func split(text string) Word {
	w := Word{Text: text}
	in, opened := strings.CutPrefix(text, `"`)
	equals := strings.IndexByte(in[min(1, len(in)):], '=') + 1
	if equals > 0 {
		w.HasValue = true
		w.Name, w.Value = in[:equals], in[equals+1:]
		if value, ok := strings.CutPrefix(w.Value, `"`); ok {
			w.Value, opened = value, true
		}
		if opened {
			w.Value = strings.TrimSuffix(w.Value, `"`)
		}
		return w
	}
	if w.Name = in; opened {
		w.Name = strings.TrimSuffix(in, `"`)
	}
	return w
}

// isSpace is isspace of lib/ctype.c, which looks at bytes: 0xa0 is a blank of
// Latin-1, also where it is a part of a UTF-8 sequence.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c == 0xa0 }

func skipSpaces(line string, at int) int {
	for at < len(line) && isSpace(line[at]) {
		at++
	}
	return at
}
