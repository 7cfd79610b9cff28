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
	// Prompt: PROMPT is not 0, so that the loader waits before it boots.
	Prompt bool
	// Implicit: a SyslinuxCommand knows whether there is a file, so that
	// DEFAULT may be one in place of a label.
	Implicit bool
	// Labels are in the configuration's order.
	Labels []SyslinuxLabel
}

// A SyslinuxLabel is one label of a SyslinuxMenu.
type SyslinuxLabel struct {
	Name string
	// Kernel is the file as the label has it, also one that is no kernel.
	Kernel string
	// Options are the command line's, without what SYSAPPEND adds; also what
	// another program than a kernel gets.
	Options string
	// Depth is 0 for what the top menu shows.
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

// Choose sets the default: what ONTIMEOUT names, where the loader waits; or
// DEFAULT, if that is a label; or the last label of the top menu with MENU
// DEFAULT; or, without a DEFAULT or with a menu program, the top menu's first
// label. Its Entry is the default. What ONTIMEOUT has may become an entry.
func (m *SyslinuxMenu) Choose(c *entry.Config, command SyslinuxCommand) {
	c.Default = entry.None
	l := m.label(c, m.Default)
	menu := m.UI || m.Default == "" || l == nil && isMenuProgram(m.Default) || l != nil && l.isMenu()
	if m.OnTimeout != "" && (menu || m.Prompt) {
		l := m.label(c, m.OnTimeout)
		if l == nil && !isMenuProgram(m.OnTimeout) {
			c.Default = m.command(c, "ontimeout", m.OnTimeout, command)
			return
		}
		if l != nil && !l.isMenu() {
			c.Default = l.Entry
			return
		}
	}
	switch word, _ := firstWord(m.Default); {
	case l != nil && !l.isMenu():
		c.Default = l.Entry
		return
	case !menu && IsSyslinuxModule(word):
		c.Default = entry.Elsewhere
		return
	case !menu && m.Implicit:
		if c.Default = m.command(c, "default", m.Default, command); c.Default != entry.None {
			return
		}
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

// label is the one that a directive names: all of the value, for loaders whose
// labels have blanks, or its first word. SYSLINUX takes only the first word of
// a label, too.
func (m *SyslinuxMenu) label(c *entry.Config, value string) *SyslinuxLabel {
	if value == "" {
		return nil
	}
	word, options := firstWord(value)
	find := func(is func(name string) bool) *SyslinuxLabel {
		i := slices.IndexFunc(m.Labels, func(l SyslinuxLabel) bool { return is(l.Name) })
		if i < 0 {
			return nil
		}
		return &m.Labels[i]
	}
	l := find(func(name string) bool { return name == value })
	if l != nil {
		return l
	}
	if l = find(func(name string) bool { return name == word }); l == nil {
		l = find(func(name string) bool { first, _ := firstWord(name); return first == word })
	}
	if l != nil && options != "" {
		c.Notef("%s: options behind the label %s are left out: %s", c.Source, entry.Printable(word), entry.Printable(options))
	}
	return l
}

// command is the entry that boots what a directive has: one that there is, or
// another.
func (m *SyslinuxMenu) command(c *entry.Config, directive, value string, command SyslinuxCommand) int {
	kernel, options := firstWord(value)
	if IsSyslinuxModule(kernel) {
		return entry.Elsewhere
	}
	e, plain, err := command(kernel, options)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Notef("%s: %s: %v", c.Source, directive, err)
		return entry.None
	case err != nil:
		c.Notef("%s: %s: %v", c.Source, directive, err)
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
		c.Notef("%s: %s: more than %d entries", c.Source, directive, maxEntries)
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

// SyslinuxAppend is what APPEND has. Petitboot takes quotation marks off, and
// xCAT writes them for it. SYSLINUX itself does not, but no kernel can use a
// command line that is one word.
func SyslinuxAppend(value string) string {
	if in, ok := strings.CutPrefix(value, `"`); ok && strings.Index(in, `"`) == len(in)-1 {
		return strings.TrimSpace(in[:max(0, len(in)-1)])
	}
	return value
}

func firstWord(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

func (l *SyslinuxLabel) isMenu() bool {
	return l.Entry < 0 && isMenuProgram(l.Kernel+" "+l.Options)
}

// isMenuProgram: what a command runs only shows the labels. The loader adds
// the file name's end. A menu of other files than this one, which is ~, is
// another configuration's.
func isMenuProgram(command string) bool {
	word, files := firstWord(command)
	if strings.Trim(files, "~ \t") != "" {
		return false
	}
	name := strings.TrimSuffix(strings.ToLower(path.Base(word)), ".c32")
	return slices.Contains([]string{"menu", "vesamenu", "gfxboot"}, name)
}

// modules are how names of what is started end that is no Linux. PXELINUX
// takes every name in .0 for a network boot program, .bin for a boot sector and
// .img for a disk; kernels have such names, too.
var modules = []string{
	"pxelinux.0", ".bs", ".bss", ".c32", ".cbt", ".com",
	".lkrn", ".krn", ".lkn", ".pxe", ".kpxe", ".kkpxe", // iPXE itself
}

// programs are names of what boots by itself what it gets for an initrd, and of
// loaders that Open Firmware starts.
var programs = []string{"memdisk", "wimboot", "core.elf", "grub.elf", "yaboot"}

// IsSyslinuxModule reports whether a file is by its name none that Linux is
// in, whichever way it is started. Programs of EFI are none, but for kernels
// that are such programs, too.
func IsSyslinuxModule(name string) bool {
	name = strings.ToLower(name)
	base := path.Base(name)
	isKernel := strings.Contains(base, "linu") || strings.Contains(base, "image") // vmlinuz.efi, bzImage.efi
	return slices.Contains(programs, base) || strings.HasSuffix(name, ".efi") && !isKernel ||
		slices.ContainsFunc(modules, func(m string) bool { return strings.HasSuffix(name, m) })
}
