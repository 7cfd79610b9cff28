// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// A SyslinuxMenu is what a configuration of SYSLINUX or one of its kin, as
// PXELINUX, says about what is booted unasked.
type SyslinuxMenu struct {
	// Implicit: a SyslinuxCommand knows whether there is a file, so that
	// DEFAULT may be one in place of a label.
	Implicit bool
	// Labels are in the configuration's order.
	Labels []SyslinuxLabel

	// The values of these directives.
	def, ui, onTimeout string
	// prompt: PROMPT is not 0, so that the loader waits before it boots.
	prompt bool
}

// Set takes a directive in small letters, which may be in submenus, and reports
// whether it is one of a SyslinuxMenu.
func (m *SyslinuxMenu) Set(key, value string, depth int) bool {
	switch key {
	case "default":
		m.def = value
	case "ui":
		m.ui = value
	case "prompt":
		word, _ := FirstWord(value)
		n, _ := strconv.Atoi(word) // what is no number is 0
		m.prompt = n != 0
	case "ontimeout":
		if depth == 0 {
			m.onTimeout = value
		}
	default:
		return false
	}
	return true
}

// A SyslinuxLabel is one label of a SyslinuxMenu.
type SyslinuxLabel struct {
	Name string
	// Kernel is the file as the label has it, also one that is no kernel.
	Kernel string
	// Options are the command line's, without what SYSAPPEND adds; also what
	// another program than a kernel gets.
	Options string
	// Depth is how many submenus the label is in.
	Depth int
	// Default, Disabled and Hidden are MENU DEFAULT, DISABLE and HIDE. A label
	// that Moves leads to another menu, or to a text.
	Default, Disabled, Hidden, Moves bool
	// Entry is the label's place in Config.Entries, or entry.Elsewhere, or
	// entry.None for a Linux whose files are not there.
	Entry int
}

// Menu takes what a directive of a label has behind MENU, in small letters.
func (l *SyslinuxLabel) Menu(key string) {
	switch key {
	case "default":
		l.Default = true
	case "disable", "disabled":
		l.Disabled = true
	case "hide":
		l.Hidden = true
	case "exit", "goto", "help", "quit":
		l.Moves = true
	}
}

// A SyslinuxCommand makes an entry of a command line. The options are those
// of SyslinuxLabel. An error that wraps fs.ErrNotExist means that there is no
// such file.
type SyslinuxCommand func(kernel, options string) (e entry.Entry, plain string, err error)

// Choose sets the default: what ONTIMEOUT names, where the loader waits; or
// what UI or else DEFAULT names, if that is a label. A menu program takes
// DEFAULT, too, or the last label of the top menu with MENU DEFAULT, or the top
// menu's first one, and so it is without either directive. The label's Entry is
// the default. What ONTIMEOUT or DEFAULT has besides a label may become an entry.
func (m *SyslinuxMenu) Choose(c *entry.Config, command SyslinuxCommand) {
	c.Default = entry.None
	directive, started := "default", m.def
	if m.ui != "" {
		directive, started = "ui", m.ui
	}
	l, options := m.label(started)
	menu := started == "" || l == nil && isMenuProgram(c, started) || l != nil && l.isMenu(c)
	if m.onTimeout != "" && (menu || m.prompt && m.ui == "") {
		l, options := m.label(m.onTimeout)
		if l == nil && !isMenuProgram(c, m.onTimeout) {
			c.Default = m.command(c, "ontimeout", m.onTimeout, command)
			return
		}
		if l != nil && !l.isMenu(c) {
			c.Default = withOptions(c, "ontimeout", l, options)
			return
		}
	}
	if menu && m.ui != "" {
		if l, _ = m.label(m.def); l != nil && (l.Hidden || l.Disabled) {
			l = nil
		}
		options = "" // the menu only looks for the label
	}
	switch word, _ := FirstWord(started); {
	case l != nil && !l.isMenu(c):
		c.Default = withOptions(c, directive, l, options)
		return
	case !menu && (IsSyslinuxModule(word) || isMenuName(word)):
		c.Default = entry.Elsewhere
		return
	case !menu && m.Implicit:
		if c.Default = m.command(c, directive, started, command); c.Default != entry.None {
			return
		}
	}
	for i := range m.Labels {
		if l := &m.Labels[i]; l.Default && l.isInTopMenu() {
			c.Default, menu = l.Entry, false
		}
	}
	if menu {
		i := slices.IndexFunc(m.Labels, func(l SyslinuxLabel) bool { return l.isInTopMenu() })
		if i >= 0 {
			c.Default = m.Labels[i].Entry
		}
	}
}

// label is the one that a directive names: all of the value, for loaders whose
// labels have blanks, or its first word, before options. SYSLINUX takes only
// the first word of a label, too.
func (m *SyslinuxMenu) label(value string) (l *SyslinuxLabel, options string) {
	if value == "" {
		return nil, ""
	}
	find := func(is func(name string) bool) *SyslinuxLabel {
		i := slices.IndexFunc(m.Labels, func(l SyslinuxLabel) bool { return is(l.Name) })
		if i < 0 {
			return nil
		}
		return &m.Labels[i]
	}
	if l = find(func(name string) bool { return name == value }); l != nil {
		return l, ""
	}
	word, options := FirstWord(value)
	if l = find(func(name string) bool { return name == word }); l == nil {
		l = find(func(name string) bool { first, _ := FirstWord(name); return first == word })
	}
	return l, options
}

// withOptions is a label's entry, or another that has more options behind it.
func withOptions(c *entry.Config, directive string, l *SyslinuxLabel, options string) int {
	if options == "" || l.Entry < 0 {
		return l.Entry
	}
	e := c.Entries[l.Entry]
	if len(e.Cmdline)+1+len(options) > maxCmdline {
		c.Notef("%s: %s: a command line of more than %d bytes", c.Source, directive, maxCmdline)
		return entry.Elsewhere
	}
	e.Cmdline = strings.TrimSpace(e.Cmdline + " " + options)
	return addEntry(c, directive, e)
}

// command is the entry that boots what a directive has: one that there is, or
// another.
func (m *SyslinuxMenu) command(c *entry.Config, directive, value string, command SyslinuxCommand) int {
	kernel, options := FirstWord(value)
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
	return addEntry(c, directive, e)
}

func addEntry(c *entry.Config, directive string, e entry.Entry) int {
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

// SyslinuxAppend is what APPEND has; a dash is nothing at all. Petitboot takes
// quotation marks off, and xCAT writes them for it. SYSLINUX itself does not,
// but no kernel can use a command line that is one word.
func SyslinuxAppend(value string) string {
	if value == "-" {
		return ""
	}
	if in, ok := strings.CutPrefix(value, `"`); ok && strings.Index(in, `"`) == len(in)-1 {
		return strings.TrimSpace(in[:max(0, len(in)-1)])
	}
	return value
}

// FirstWord splits a word off at a blank or tab.
func FirstWord(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// SyslinuxInitrds is the list of a label's initrds, with commas. SYSLINUX puts
// INITRD's behind the command line, and since version 5 loads what the first
// initrd= of the line has; it leaves them all there for the kernel.
func SyslinuxInitrds(cmdline, directive string) string {
	if len(cmdline) <= maxCmdline && strings.Contains(cmdline, "initrd=") {
		for word := range strings.FieldsSeq(cmdline) {
			if list, found := strings.CutPrefix(word, "initrd="); found && list != "" {
				return list
			}
		}
	}
	return directive
}

// isInTopMenu: it can be chosen there.
func (l *SyslinuxLabel) isInTopMenu() bool { return l.Depth == 0 && !l.Hidden && !l.Disabled }

func (l *SyslinuxLabel) isMenu(c *entry.Config) bool {
	return l.Entry < 0 && isMenuProgram(c, l.Kernel+" "+l.Options)
}

// isMenuProgram: what a command runs shows the configuration's labels. A menu
// of other files alone is another configuration's; those of gfxboot are
// pictures.
func isMenuProgram(c *entry.Config, command string) bool {
	word, files := FirstWord(command)
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

// menuName is without the end that the loader adds.
func menuName(file string) string {
	return strings.TrimSuffix(strings.ToLower(path.Base(file)), ".c32")
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
