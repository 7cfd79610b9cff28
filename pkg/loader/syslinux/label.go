// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package syslinux

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// A label is one choice of a configuration.
type label struct {
	name, title, where string
	// kernel is the file as the label names it, and args what follows it.
	kernel, args  string
	initrd, tree  string
	appended      string  // APPEND, the global one if the label has none
	sysappend     *uint64 // SYSAPPEND likewise; nil if there is none
	other         string  // a directive or a program that boots no kernel
	depth         int     // in how many submenus the label is
	def, disabled bool    // MENU DEFAULT, MENU DISABLE
	hidden        bool    // MENU HIDE
	moves         bool    // it leads to another menu, or to a text

	// entry is the label's place in Config.Entries, or entry.Elsewhere, or
	// entry.None for a Linux kernel that does not exist.
	entry int
	// options are the command line without what SYSAPPEND adds, or the
	// arguments of a program that is no kernel.
	options string
}

// set takes a directive of a label.
func (x *reader) set(at *label, l loader.Line, key, value string) {
	switch key {
	case "kernel", "linux":
		at.kernel, at.args = loader.FirstWord(value)
		at.other = ""
		if loader.IsProgram(at.kernel) || key == "kernel" && x.isImage(at.kernel) {
			at.other = value
		}
	case "com32":
		at.kernel, at.args = loader.FirstWord(value)
		at.other = key
	case "boot", "bss", "pxe", "fdimage", "comboot", "config", "localboot", "efi":
		at.other = key
	case "initrd":
		at.initrd = value
	case "fdt", "devicetree", "dtb": // of SYSLINUX and U-Boot; the last is Petitboot's
		at.tree = value
	case "fdtdir", "devicetreedir", "fdtoverlays", "devicetree-overlay":
		x.Notef("%s: %s has no effect", l.Where, key)
	case "menu label":
		at.title = strings.Replace(value, "^", "", 1) // it marks a key
	case "menu default":
		at.def = true
	case "menu disable", "menu disabled":
		at.disabled = true
	case "menu hide":
		at.hidden = true
	case "menu exit", "menu goto", "menu help", "menu quit":
		at.moves = true
	}
}

// isImage reports whether KERNEL boots a file as something other than a kernel,
// by its name. On servers kernels have such names, too.
func (x *reader) isImage(name string) bool {
	return x.pxe == nil && slices.Contains([]string{".0", ".bin", ".img"}, strings.ToLower(path.Ext(name)))
}

// add makes an entry of a label, or notes why it is left out.
func (x *reader) add(l *label) {
	l.entry = entry.Elsewhere
	if l.moves {
		return
	}
	ch := x.choice(l)
	e, err := x.build(l, ch)
	if err == nil {
		l.entry, l.options = len(x.Entries), ch.Cmdline
		e.Cmdline = strings.TrimSpace(e.Cmdline + x.sysappend(l))
		x.Entries = append(x.Entries, e)
		return
	}
	x.Notef("%s: %q is left out: %v", l.where, l.name, err)
	if l.other != "" {
		l.options = ch.Cmdline
	}
	if l.kernel != "" && errors.Is(err, fs.ErrNotExist) {
		l.entry = entry.None
	}
}

func (x *reader) build(l *label, ch loader.Choice) (entry.Entry, error) {
	switch {
	case l.other != "":
		return entry.Entry{}, errors.New(entry.Printable(l.other) + " is no Linux kernel")
	case l.disabled:
		return entry.Entry{}, errors.New("it is disabled")
	case ch.Kernel.Name == "":
		return entry.Entry{}, errors.New("no kernel")
	}
	return ch.Build(x.locate)
}

// choice collects what a label boots. On a disk a label without a kernel names
// one itself; on a server nobody could tell whether the file exists.
func (x *reader) choice(l *label) loader.Choice {
	ch := loader.Choice{Where: l.where, ID: l.name, Title: l.title, Kernel: x.ref(l.kernel), Cmdline: l.appended}
	if l.kernel == "" && x.pxe == nil {
		name, _ := loader.FirstWord(l.name)
		ch.Kernel = x.ref(name)
	}
	if l.args != "" && len(l.appended) <= loader.MaxCmdline { // or else it is refused, and not copied
		ch.Cmdline = strings.TrimSpace(l.args + " " + l.appended)
	}
	// One more than there may be is enough to be refused.
	for _, name := range strings.SplitN(initrds(ch.Cmdline, l.initrd), ",", loader.MaxInitrds+2) {
		if name = strings.TrimSpace(name); name != "" {
			ch.Initrds = append(ch.Initrds, x.ref(name))
		}
	}
	if l.tree != "" {
		tree := x.ref(l.tree)
		ch.DeviceTree = &tree
	}
	return ch
}

// command makes an entry of a command line that is no label's. It gets the
// global APPEND in front of its options. plain is its command line without what
// SYSAPPEND adds.
func (x *reader) command(kernel, options string) (e entry.Entry, plain string, err error) {
	l := &label{
		kernel: kernel, where: x.Source, sysappend: x.global.sysappend,
		appended: strings.TrimSpace(x.global.appended + " " + options),
	}
	ch := x.choice(l)
	if e, err = x.build(l, ch); err != nil {
		return e, "", err
	}
	plain = e.Cmdline
	e.Cmdline = strings.TrimSpace(e.Cmdline + x.sysappend(l))
	return e, plain, nil
}

// appendValue is the value of APPEND; a dash means an empty one. It removes
// quotes around all of the value, as Petitboot does, for xCAT writes them.
// SYSLINUX keeps them, but no kernel can use a command line that is one word.
func appendValue(value string) string {
	if value == "-" {
		return ""
	}
	if in, ok := strings.CutPrefix(value, `"`); ok && strings.Index(in, `"`) == len(in)-1 {
		return strings.TrimSpace(in[:max(0, len(in)-1)])
	}
	return value
}

// initrds is a label's list of initrds, separated by commas. SYSLINUX appends
// the value of INITRD to the command line, and since version 5 loads the files
// of the first initrd= there. It passes all of them on to the kernel.
func initrds(cmdline, directive string) string {
	if len(cmdline) <= loader.MaxCmdline && strings.Contains(cmdline, "initrd=") {
		for word := range strings.FieldsSeq(cmdline) {
			if list, found := strings.CutPrefix(word, "initrd="); found && list != "" {
				return list
			}
		}
	}
	return directive
}
