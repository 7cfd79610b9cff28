// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package cmdline

import (
	"iter"
	"strings"
)

// Value returns the value of one of the kernel's parameters, the last one if
// several words set it, and "" if none does. A word without = is passed over.
//
// This is what an early_param or module_param function keeps that takes one
// value: the kernel calls it for every word whose whole name is the function's,
// in order (do_early_param of init/main.c, parse_one of kernel/params.c), and it
// refuses a word that has no value. Functions that the kernel declares by __setup
// are called otherwise: see Setup.
func Value(line, name string) string {
	value := ""
	for w := range Params(line) {
		if w.HasValue && w.Is(name) {
			value = w.Value
		}
	}
	return value
}

// Setup yields what the kernel calls a function with that is declared by
// __setup(name, …): the rest of every word that begins with name, which may
// have an = sign at its end (obsolete_checksetup of init/main.c). Without one
// "nameless" is a use of "name". - and _ are equal in all of name.
//
// Whether the first or the last call counts is up to the function.
func Setup(line, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for w := range Params(line) {
			text := w.String()
			if strings.HasPrefix(canonical(text), canonical(name)) && !yield(text[len(name):]) {
				return
			}
		}
	}
}

// HasSetup reports whether the kernel calls a function that is declared by
// __setup(name, …).
func HasSetup(line, name string) bool {
	for range Setup(line, name) {
		return true
	}
	return false
}

// LastSetup returns what the last call gives to such a function, "" without one.
func LastSetup(line, name string) string {
	last := ""
	for value := range Setup(line, name) {
		last = value
	}
	return last
}
