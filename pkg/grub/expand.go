// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"strconv"
	"strings"
)

// fields collects the words of a command.
type fields struct {
	done []string
	word strings.Builder
	open bool // there is a word, if only an empty one
	size int
}

func (f *fields) add(s string) {
	f.size += len(s)
	if f.size <= maxText {
		f.word.WriteString(s)
	}
	f.open = true
}

func (f *fields) end() {
	if f.open {
		f.done = append(f.done, f.word.String())
		f.word.Reset()
		f.open = false
		f.size++
	}
}

// split adds a value that is split at spaces. As in GRUB, and not in a shell,
// spaces at its begin and end part nothing.
func (f *fields) split(s string) {
	for i, w := range strings.Fields(s) {
		if i > 0 {
			f.end()
		}
		f.add(w)
	}
}

// expand makes words of what stands in the script. There are no wildcards.
func (in *interpreter) expand(words []word, at position) ([]string, error) {
	var f fields
	for _, w := range words {
		for _, p := range w {
			switch {
			case p.kind == quoted, p.kind == literal && p.text != "":
				f.add(p.text)
			case p.kind == variable, p.kind == quotedVariable:
				in.expandVariable(&f, p)
			}
			if f.size > maxText {
				return nil, in.stop(at, "a command has more than %d bytes", maxText)
			}
		}
		f.end()
	}
	return f.done, in.spend(at, f.size)
}

func (in *interpreter) expandVariable(f *fields, p part) {
	add := f.add
	if p.kind == variable {
		add = f.split
	}
	switch n, err := strconv.Atoi(p.text); {
	case err == nil:
		if 0 < n && n <= len(in.arguments) {
			add(in.arguments[n-1])
		}
	case p.text == "#":
		add(strconv.Itoa(len(in.arguments)))
	case p.text == "*" && p.kind == quotedVariable:
		add(strings.Join(in.arguments, " "))
	case p.text == "@", p.text == "*":
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
