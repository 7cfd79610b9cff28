// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"strconv"
	"strings"
)

// fields collects the words that a command is expanded to.
type fields struct {
	done    []string
	word    strings.Builder
	pattern strings.Builder // the word for path.Match
	wild    bool            // the word has a wildcard
	open    bool            // a word has begun, even if it is empty
	size    int
	glob    func(pattern string) []string
}

func (f *fields) add(s string, isQuoted bool) {
	f.size += len(s)
	if f.size <= maxText {
		f.word.WriteString(s)
		escape := `*?[\`
		if !isQuoted {
			escape = `[\`
			f.wild = f.wild || strings.ContainsAny(s, "*?")
		}
		for i := range len(s) {
			if strings.IndexByte(escape, s[i]) >= 0 {
				f.pattern.WriteByte('\\')
			}
			f.pattern.WriteByte(s[i])
		}
	}
	f.open = true
}

// end finishes a word, which becomes several if it has wildcards that match.
func (f *fields) end() {
	if !f.open {
		return
	}
	words := []string{f.word.String()}
	if f.wild && f.size <= maxText {
		if names := f.glob(f.pattern.String()); len(names) > 0 {
			words = names
			for _, name := range names {
				f.size += len(name)
			}
		}
	}
	f.done = append(f.done, words...)
	f.size += len(words)
	f.word.Reset()
	f.pattern.Reset()
	f.open, f.wild = false, false
}

// split adds a value, split at spaces. Spaces at its beginning and end separate
// nothing, as in GRUB, and unlike in a shell.
func (f *fields) split(s string) {
	for i, w := range strings.Fields(s) {
		if i > 0 {
			f.end()
		}
		f.add(w, false)
	}
}

// expand makes words of the text in the script.
func (in *interpreter) expand(words []word, at position) ([]string, error) {
	f := fields{glob: func(pattern string) []string { return in.glob(pattern, at) }}
	for _, w := range words {
		for _, p := range w {
			switch {
			case p.kind == quoted, p.kind == literal && p.text != "":
				f.add(p.text, p.kind == quoted)
			case p.kind == variable, p.kind == quotedVariable:
				in.expandVariable(&f, p)
			}
			if f.size > maxText {
				return nil, in.stop(at, "a command has more than %d bytes", maxText)
			}
		}
		f.end()
	}
	if f.size > maxText {
		return nil, in.stop(at, "a command has more than %d bytes", maxText)
	}
	return f.done, in.spend(at, f.size)
}

func (in *interpreter) expandVariable(f *fields, p part) {
	add := func(s string) { f.add(s, true) }
	if p.kind == variable {
		add = f.split
	}
	switch n, err := strconv.Atoi(p.text); {
	case err == nil:
		if 0 < n && n <= len(in.arguments) {
			add(in.arguments[n-1])
		}
	case p.text == "#":
		if in.arguments != nil {
			add(strconv.Itoa(len(in.arguments)))
		}
	case p.text == "*" && p.kind == quotedVariable:
		add(strings.Join(in.arguments, " "))
	case p.text == "@", p.text == "*":
		if p.kind == variable {
			f.split(strings.Join(in.arguments, " "))
			return
		}
		for i, a := range in.arguments {
			if i > 0 {
				f.end()
			}
			add(a)
		}
	default:
		add(in.value(p.text))
	}
}
