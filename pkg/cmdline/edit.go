// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package cmdline

import (
	"slices"
	"strings"
)

// Remove returns a command line without the named parameters, whether they
// have a value or not. What stays is not changed, but for white space at the
// ends. Words behind "--" are removed as well: a boot loader that appends its
// parameters does not look for it.
func Remove(line string, names ...string) string {
	var b strings.Builder
	kept := 0
	for at, w := range words(line) {
		if slices.ContainsFunc(names, w.Is) {
			b.WriteString(trimRight(line[kept:at]))
			kept = at + len(w.Text)
		}
	}
	b.WriteString(line[kept:])
	return trim(b.String())
}

// Set returns a command line that sets a parameter to value, and does so only
// once. The parameter comes first, where it cannot be an argument of init.
// A value with white space is quoted; it must not contain double quotes.
func Set(line, name, value string) string {
	if slices.ContainsFunc([]byte(value), isSpace) {
		value = `"` + value + `"`
	}
	return trim(name + "=" + value + " " + Remove(line, name))
}

// Tidy returns a command line with one space for each run of blanks and tabs
// between words. What stands in quotes is not changed.
func Tidy(line string) string {
	var b strings.Builder
	end := 0
	for at, w := range words(line) {
		gap := line[end:at]
		switch {
		case strings.Trim(gap, " \t") != "":
			b.WriteString(gap) // not for us to change
		case end > 0:
			b.WriteByte(' ')
		}
		b.WriteString(w.Text)
		end = at + len(w.Text)
	}
	return b.String() + strings.TrimRight(line[end:], " \t")
}

// trim removes the white space in front of the first word and behind the last
// one. What follows a quote that is not closed belongs to the word.
func trim(line string) string {
	begin, end := 0, 0
	for at, w := range words(line) {
		if end == 0 {
			begin = at
		}
		end = at + len(w.Text)
	}
	return line[begin:end]
}

// trimRight removes the white space that separates words.
func trimRight(line string) string {
	for line != "" && isSpace(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	return line
}

// booted are the parameters by which boot loaders and kexec tell a kernel how
// it was started.
var booted = []string{"BOOT_IMAGE", "initrd", "kexec_jump_back_entry"}

// Reuse returns a command line for the next kernel: the running kernel's, and
// appended behind its parameters, as Append does. It leaves out what tells how
// the running kernel was started, BOOT_IMAGE, initrd and kexec_jump_back_entry,
// and the parameters drop.
func Reuse(running, appended string, drop ...string) (string, error) {
	return Append(Remove(running, slices.Concat(booted, drop)...), appended)
}
