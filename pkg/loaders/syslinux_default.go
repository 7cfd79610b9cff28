// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// A SyslinuxMenu is what a configuration of SYSLINUX or one of its kin, as
// PXELINUX, says about what is booted unasked.
type SyslinuxMenu struct {
	// Default and OnTimeout are the values of these directives.
	Default, OnTimeout string
	// UI: there is such a directive.
	UI bool
	// Labels are in the configuration's order.
	Labels []SyslinuxLabel
}

// A SyslinuxLabel is one label of a SyslinuxMenu.
type SyslinuxLabel struct {
	Name string
	// Kernel is the file as the label has it, also one that is no kernel.
	Kernel string
	// Options are the command line's, without what SYSAPPEND adds.
	Options string
	// Depth is 0 outside of submenus.
	Depth int
	// Default and Disabled are MENU DEFAULT and MENU DISABLE.
	Default, Disabled bool
	// Entry is the label's place in Config.Entries, or entry.Elsewhere, or
	// entry.None for a Linux whose files are not there.
	Entry int
}

// A SyslinuxCommand makes an entry of a command line. The options are those
// of SyslinuxLabel. An error that wraps fs.ErrNotExist means that there is no
// such file.
type SyslinuxCommand func(kernel, options string) (e entry.Entry, plain string, err error)

// Choose sets the default: what ONTIMEOUT names; or DEFAULT, if that is a
// label; or the last label of the top menu with MENU DEFAULT; or, without a
// DEFAULT or with a menu program, the top menu's first label. Its
// Entry is the default. What ONTIMEOUT has may become an entry.
func (m *SyslinuxMenu) Choose(c *entry.Config, command SyslinuxCommand) {
	c.Default = entry.None
	if m.OnTimeout != "" {
		l := m.label(c, m.OnTimeout)
		if l == nil && !isMenuProgram(m.OnTimeout) {
			c.Default = m.command(c, command)
			return
		}
		if l != nil && !l.isMenu() {
			c.Default = l.Entry
			return
		}
	}
	l := m.label(c, m.Default)
	menu := m.UI || m.Default == "" || l == nil && isMenuProgram(m.Default) || l != nil && l.isMenu()
	switch word, _ := firstWord(m.Default); {
	case l != nil && !l.isMenu():
		c.Default = l.Entry
		return
	case !menu && IsSyslinuxModule(word):
		c.Default = entry.Elsewhere
		return
	}
	for i := range m.Labels {
		if l := &m.Labels[i]; l.Default && l.Depth == 0 {
			c.Default, menu = l.Entry, false
		}
	}
	if menu {
		i := slices.IndexFunc(m.Labels, func(l SyslinuxLabel) bool { return l.Depth == 0 && !l.Disabled })
		if i >= 0 {
			c.Default = m.Labels[i].Entry
		}
	}
}

// label is the one that a directive names: all of the value, as a label may
// have blanks, or its first word.
func (m *SyslinuxMenu) label(c *entry.Config, value string) *SyslinuxLabel {
	word, options := firstWord(value)
	for _, name := range []string{value, word} {
		i := slices.IndexFunc(m.Labels, func(l SyslinuxLabel) bool { return l.Name == name })
		if i < 0 || name == "" {
			continue
		}
		if name != value {
			c.Notef("%s: options behind the label %s are left out: %s", c.Source, entry.Printable(word), entry.Printable(options))
		}
		return &m.Labels[i]
	}
	return nil
}

// command is the entry that boots what ONTIMEOUT has: one that there is, or
// another.
func (m *SyslinuxMenu) command(c *entry.Config, command SyslinuxCommand) int {
	kernel, options := firstWord(m.OnTimeout)
	if IsSyslinuxModule(kernel) {
		return entry.Elsewhere
	}
	e, plain, err := command(kernel, options)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Notef("%s: ontimeout: %v", c.Source, err)
		return entry.None
	case err != nil:
		c.Notef("%s: ontimeout: %v", c.Source, err)
		return entry.Elsewhere
	}
	words := strings.Fields(plain)
	for i := range m.Labels {
		l := &m.Labels[i]
		if l.Entry < 0 {
			continue
		}
		o := &c.Entries[l.Entry]
		if o.Kernel == e.Kernel && slices.Equal(o.Initrds, e.Initrds) && hasWords(l.Options, words) {
			return l.Entry
		}
	}
	if len(c.Entries) >= maxEntries {
		c.Notef("%s: ontimeout: more than %d entries", c.Source, maxEntries)
		return entry.Elsewhere
	}
	c.Entries = append(c.Entries, e)
	return len(c.Entries) - 1
}

// hasWords compares without storing the words of each label.
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

func firstWord(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

func (l *SyslinuxLabel) isMenu() bool { return l.Entry < 0 && isMenuProgram(l.Kernel) }

// isMenuProgram: what a command runs only shows the labels. The loader adds
// the file name's end.
func isMenuProgram(command string) bool {
	word, _ := firstWord(command)
	name := strings.TrimSuffix(strings.ToLower(path.Base(word)), ".c32")
	return slices.Contains([]string{"menu", "vesamenu", "gfxboot"}, name)
}

// modules are how names of what is started end that is no Linux. PXELINUX
// takes every name in .0 for a network boot program, .bin for a boot sector and
// .img for a disk; kernels have such names, too.
var modules = []string{"pxelinux.0", ".bs", ".bss", ".c32", ".cbt", ".com", ".efi"}

// IsSyslinuxModule reports whether a file is by its name none that Linux is
// in, whichever way it is started.
func IsSyslinuxModule(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(modules, func(m string) bool { return strings.HasSuffix(name, m) })
}
