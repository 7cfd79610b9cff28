// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package syslinux

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// A menu is what a configuration says about what is booted if nobody chooses.
type menu struct {
	// implicit: whether a file exists is known, so that DEFAULT may name one
	// in place of a label.
	implicit bool
	// strict is IMPLICIT 0: what is no label is not booted.
	strict bool
	// labels are in the configuration's order.
	labels []*label

	// The values of these directives.
	def, ui, onTimeout string
	// prompt: PROMPT is not 0, so that the loader waits before it boots.
	prompt bool
}

// set takes a directive, which may be in a submenu, and reports whether it is
// one of the menu's.
func (m *menu) set(key, value string, depth int) bool {
	switch key {
	case "default":
		m.def = value
	case "implicit":
		m.strict = !flag(value)
	case "ui":
		m.ui = value
	case "prompt":
		m.prompt = flag(value)
	case "ontimeout":
		if depth == 0 {
			m.onTimeout = value
		}
	default:
		return false
	}
	return true
}

// flag reports whether a number is not 0. What is no number is 0.
func flag(value string) bool {
	word, _ := loader.FirstWord(value)
	n, _ := strconv.Atoi(word)
	return n != 0
}

// A command makes an entry of a command line. plain is the entry's command line
// without what SYSAPPEND adds. An error that wraps fs.ErrNotExist means that
// the kernel does not exist.
type command func(kernel, options string) (e entry.Entry, plain string, err error)

// choose sets the default of a configuration, and adds an entry if it is none
// of the labels'.
//
// The loader starts what UI names, or else DEFAULT. If that is a menu program,
// or if there is neither directive, the menu chooses: the label that DEFAULT
// names, or else the last one with MENU DEFAULT in the top menu, or else the
// first one there. Where the loader waits, ONTIMEOUT comes before all.
func (m *menu) choose(c *entry.Config, run command) {
	c.Default = entry.None
	directive, started := "default", m.def
	if m.ui != "" {
		directive, started = "ui", m.ui
	}
	l, options := m.label(started)
	menu := started == "" || l == nil && isMenuProgram(c, started) || l != nil && l.isMenu(c)
	if m.onTimeout != "" && (menu || m.prompt && m.ui == "") && m.chooseOnTimeout(c, run) {
		return
	}
	if menu && m.ui != "" {
		if l, _ = m.label(m.def); l != nil && (l.hidden || l.disabled) {
			l = nil
		}
		options = "" // the menu only looks for the label
	}
	switch word, _ := loader.FirstWord(started); {
	case l != nil && !l.isMenu(c):
		c.Default = withOptions(c, directive, l, options)
		return
	case !menu && (loader.IsProgram(word) || isMenuName(word)):
		c.Default = entry.Elsewhere
		return
	case !menu && m.implicit && !m.strict:
		if c.Default = m.command(c, directive, started, run); c.Default != entry.None {
			return
		}
	}
	m.chooseInMenu(c, menu)
}

// chooseOnTimeout takes what ONTIMEOUT names, and reports whether it decides.
// It does not if it names a menu, which is shown already.
func (m *menu) chooseOnTimeout(c *entry.Config, run command) bool {
	l, options := m.label(m.onTimeout)
	switch {
	case l == nil && m.strict:
		return false
	case l == nil && !isMenuProgram(c, m.onTimeout):
		c.Default = m.command(c, "ontimeout", m.onTimeout, run)
	case l != nil && !l.isMenu(c):
		c.Default = withOptions(c, "ontimeout", l, options)
	default:
		return false
	}
	return true
}

// chooseInMenu takes the last label with MENU DEFAULT in the top menu, or else
// its first label if first is set.
func (m *menu) chooseInMenu(c *entry.Config, first bool) {
	for _, l := range m.labels {
		if l.def && l.isInTopMenu() {
			c.Default, first = l.entry, false
		}
	}
	if i := slices.IndexFunc(m.labels, (*label).isInTopMenu); first && i >= 0 {
		c.Default = m.labels[i].entry
	}
}

// label finds the label that a directive names: by the whole value, for loaders
// whose labels have blanks, or else by its first word, which options follow.
// SYSLINUX takes only the first word of a label, too.
func (m *menu) label(value string) (l *label, options string) {
	if value == "" {
		return nil, ""
	}
	find := func(is func(name string) bool) *label {
		i := slices.IndexFunc(m.labels, func(l *label) bool { return is(l.name) })
		if i < 0 {
			return nil
		}
		return m.labels[i]
	}
	if l = find(func(name string) bool { return name == value }); l != nil {
		return l, ""
	}
	word, options := loader.FirstWord(value)
	if l = find(func(name string) bool { return name == word }); l == nil {
		l = find(func(name string) bool { first, _ := loader.FirstWord(name); return first == word })
	}
	return l, options
}

// withOptions returns a label's entry, or adds a copy with more options.
func withOptions(c *entry.Config, directive string, l *label, options string) int {
	if options == "" || l.entry < 0 {
		return l.entry
	}
	e := c.Entries[l.entry]
	if len(e.Cmdline)+1+len(options) > loader.MaxCmdline {
		c.Notef("%s: %s: a command line of more than %d bytes", c.Source, directive, loader.MaxCmdline)
		return entry.Elsewhere
	}
	e.Cmdline = strings.TrimSpace(e.Cmdline + " " + options)
	return addEntry(c, directive, e)
}

// command returns the entry that boots a directive's command line: a label's if
// one is equal, or else a new one.
func (m *menu) command(c *entry.Config, directive, value string, run command) int {
	kernel, options := loader.FirstWord(value)
	if loader.IsProgram(kernel) {
		return entry.Elsewhere
	}
	e, plain, err := run(kernel, options)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Notef("%s: %s: %v", c.Source, directive, err)
		return entry.None
	case err != nil:
		c.Notef("%s: %s: %v", c.Source, directive, err)
		return entry.Elsewhere
	}
	words := strings.Fields(plain)
	for _, l := range m.labels {
		if l.entry < 0 {
			continue
		}
		o := &c.Entries[l.entry]
		if o.Kernel == e.Kernel && slices.Equal(o.Initrds, e.Initrds) && hasWords(l.options, words) {
			return l.entry
		}
	}
	return addEntry(c, directive, e)
}

func addEntry(c *entry.Config, directive string, e entry.Entry) int {
	if len(c.Entries) >= loader.MaxEntries {
		c.Notef("%s: %s: more than %d entries", c.Source, directive, loader.MaxEntries)
		return entry.Elsewhere
	}
	c.Entries = append(c.Entries, e)
	return len(c.Entries) - 1
}

// hasWords compares words without allocating those of each label.
func hasWords(s string, words []string) bool {
	n := 0
	for word := range strings.FieldsSeq(s) {
		if n == len(words) || words[n] != word {
			return false
		}
		n++
	}
	return n == len(words)
}

// isInTopMenu reports whether the label can be chosen in the top menu.
func (l *label) isInTopMenu() bool { return l.depth == 0 && !l.hidden && !l.disabled }

func (l *label) isMenu(c *entry.Config) bool {
	return l.entry < 0 && isMenuProgram(c, l.kernel+" "+l.options)
}

// isMenuProgram reports whether a command starts a program that shows the
// labels of this configuration. A menu program that gets only other files shows
// another configuration; gfxboot's files are pictures.
func isMenuProgram(c *entry.Config, command string) bool {
	word, files := loader.FirstWord(command)
	if !isMenuName(word) {
		return false
	}
	if files == "" || menuName(word) == "gfxboot" {
		return true
	}
	for file := range strings.FieldsSeq(files) {
		if file == "~" || strings.HasSuffix(c.Source, path.Join("/", file)) {
			return true
		}
	}
	return false
}

func isMenuName(file string) bool {
	return slices.Contains([]string{"menu", "vesamenu", "gfxboot"}, menuName(file))
}

// menuName is a program's name without the ending that the loader adds.
func menuName(file string) string {
	return strings.TrimSuffix(strings.ToLower(path.Base(file)), ".c32")
}
