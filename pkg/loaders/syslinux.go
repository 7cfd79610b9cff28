// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

// syslinuxFiles are in the order of SYSLINUX's documentation, then U-Boot's,
// then where Alpine's update-extlinux writes, and last beside a program for EFI.
var syslinuxFiles = []string{
	"boot/syslinux/syslinux.cfg", "syslinux/syslinux.cfg", "syslinux.cfg",
	"boot/extlinux/extlinux.conf", "extlinux/extlinux.conf", "extlinux.conf",
	"boot/syslinux/extlinux.conf", "syslinux/extlinux.conf",
	"boot/isolinux/isolinux.cfg", "isolinux/isolinux.cfg", "isolinux.cfg",
	"boot/extlinux.conf", "boot/syslinux.cfg",
	"EFI/syslinux/syslinux.cfg", "EFI/BOOT/syslinux.cfg",
}

// maxIncludes bounds files that are included, and files in files.
const maxIncludes = 64

// A label is one entry of SYSLINUX's.
type label struct {
	where, name, title, kernel, args, tree string // args are behind the kernel
	initrd, appended                       *string
	global                                 *appendix // of all labels when this one began
	other                                  string    // a directive that boots no kernel
	depth                                  int       // of submenus
	isDefault, disabled, hidden, moves     bool      // moves: to another menu
}

// An appendix is what APPEND has, without the initrds.
type appendix struct{ options, initrd string }

// A syslinux is a configuration while it is read.
type syslinux struct {
	*source
	labels   []*label
	at       *label // nil outside
	appended string
	global   *appendix // of appended
	menus    SyslinuxMenu
	depth    int
	includes int
}

// Syslinux reads a configuration of SYSLINUX, EXTLINUX or ISOLINUX, as
// https://wiki.syslinux.org/wiki/index.php?title=Config describes it, with the
// fdt key of U-Boot. An initrd= on a command line is taken out of it. The
// timeout is in tenths of a second, and 0 is for ever.
func Syslinux(v *entry.Volume, _ entry.Volumes) (*entry.Config, error) {
	s, err := find("syslinux", v, syslinuxFiles)
	if err != nil {
		return nil, err
	}
	x := &syslinux{source: s, global: &appendix{}, menus: SyslinuxMenu{Implicit: true}}
	x.read(s.Source, s.text)
	for _, l := range bounded(s, x.labels) {
		x.menus.Labels = append(x.menus.Labels, x.finish(l))
	}
	x.menus.Choose(s.Config, x.command)
	return s.Config, nil
}

// finish makes an entry of a label.
func (x *syslinux) finish(l *label) SyslinuxLabel {
	out := SyslinuxLabel{
		Name: l.name, Kernel: l.kernel, Depth: l.depth, Default: l.isDefault, Disabled: l.disabled, Entry: entry.Elsewhere,
	}
	if l.hidden {
		out.Depth++ // is in no menu
	}
	switch {
	case l.moves:
		return out
	case l.other != "":
		out.Options = x.choice(l).cmdline
		x.Notef("%s: %q is left out: %s is no Linux kernel", l.where, l.name, entry.Printable(l.other))
		return out
	case l.disabled:
		x.Notef("%s: %q is left out: it is disabled", l.where, l.name)
		return out
	}
	ch := x.choice(l)
	switch err := x.add(ch); {
	case err == nil:
		out.Entry, out.Options = len(x.Entries)-1, ch.cmdline
	case l.kernel != "" && errors.Is(err, fs.ErrNotExist):
		out.Entry = entry.None
	}
	return out
}

func (x *syslinux) choice(l *label) choice {
	ch := choice{where: l.where, id: l.name, title: l.title, kernel: x.here(l.kernel)}
	if l.kernel == "" {
		name, _ := firstWord(l.name)
		ch.kernel = x.here(name)
	}
	var a appendix
	if l.appended != nil {
		a = takeInitrd(*l.appended) // in place of the global one
	} else if l.global != nil {
		a = *l.global
	}
	ch.cmdline = a.options
	if l.args != "" {
		behind := takeInitrd(l.args)
		if len(a.options) <= maxCmdline { // or else it is refused, and not copied
			ch.cmdline = strings.TrimSpace(behind.options + " " + a.options)
		}
		a.initrd = cmp.Or(behind.initrd, a.initrd)
	}
	if l.initrd != nil {
		a.initrd = *l.initrd
	}
	// One more than there may be is enough to be refused.
	for _, name := range strings.SplitN(a.initrd, ",", maxInitrds+2) {
		if name = strings.TrimSpace(name); name != "" {
			ch.initrds = append(ch.initrds, x.here(name))
		}
	}
	if l.tree != "" {
		tree := x.here(l.tree)
		ch.tree = &tree
	}
	return ch
}

// command makes an entry of a command line without a label, which gets the
// global APPEND in front.
func (x *syslinux) command(kernel, options string) (entry.Entry, string, error) {
	options = strings.TrimSpace(x.appended + " " + options)
	ch := x.choice(&label{kernel: kernel, appended: &options})
	e, err := x.build(ch)
	return e, ch.cmdline, err
}

// takeInitrd takes the initrds out, of which the first ones count, as since
// SYSLINUX 5.
func takeInitrd(cmdline string) appendix {
	a := appendix{options: cmdline}
	if len(cmdline) > maxCmdline || !strings.Contains(cmdline, "initrd=") {
		return a
	}
	words := slices.DeleteFunc(strings.Fields(cmdline), func(word string) bool {
		name, ok := strings.CutPrefix(word, "initrd=")
		if ok && a.initrd == "" {
			a.initrd = name
		}
		return ok
	})
	a.options = strings.Join(words, " ")
	return a
}

// read takes one file's lines.
func (x *syslinux) read(file, text string) {
	help := false
	for _, l := range lines(file, text, false) {
		key, value, _ := strings.Cut(strings.ReplaceAll(l.text, "\t", " "), " ")
		key, value = strings.ToLower(key), strings.TrimSpace(value)
		if help {
			help = key != "endtext"
			continue
		}
		switch key {
		case "text":
			help = true
		case "default":
			x.menus.Default = value
		case "ontimeout":
			x.menus.OnTimeout = value
		case "ui":
			x.menus.UI = true
		case "prompt":
			x.menus.Prompt = value != "" && value != "0"
		case "timeout":
			x.timeout(l, value)
		case "include":
			x.include(l, value)
		case "menu":
			x.menu(l, value)
		case "label":
			x.at = &label{where: l.where, name: value, depth: x.depth, global: x.global}
			if len(x.labels) <= maxEntries {
				x.labels = append(x.labels, x.at)
			}
		case "append":
			x.append(value)
		default:
			if x.at != nil {
				x.at.set(x.source, l, key, value)
			}
		}
	}
}

// timeout takes the top menu's.
func (x *syslinux) timeout(l line, value string) {
	if x.depth > 0 {
		return
	}
	value, _ = firstWord(value)
	if x.Timeout = x.wait(l, value, time.Second/10); x.Timeout != nil && *x.Timeout == 0 {
		*x.Timeout = -1
	}
}

func (x *syslinux) append(value string) {
	value = SyslinuxAppend(value)
	if value == "-" {
		value = ""
	}
	if x.at != nil {
		x.at.appended = &value
	} else {
		global := takeInitrd(value)
		x.appended, x.global = value, &global
	}
}

// set takes a directive of a label.
func (at *label) set(s *source, l line, key, value string) {
	switch key {
	case "kernel":
		at.kernel, at.args = firstWord(value)
		at.other = ""
		// The directive takes these for other things, too.
		also := slices.Contains([]string{".0", ".bin", ".img"}, strings.ToLower(path.Ext(at.kernel)))
		if also || IsSyslinuxModule(at.kernel) {
			at.other = value
		}
	case "linux":
		at.kernel, at.args = firstWord(value)
		at.other = ""
		if IsSyslinuxModule(at.kernel) {
			at.other = value
		}
	case "com32":
		at.kernel, at.other = value, key
	case "boot", "bss", "pxe", "fdimage", "comboot", "config", "localboot", "efi":
		at.other = key
	case "initrd":
		at.initrd = &value
	case "fdt", "devicetree":
		at.tree = value
	case "fdtdir", "devicetreedir", "fdtoverlays", "devicetree-overlay":
		s.Notef("%s: %s has no effect", l.where, key)
	}
}

// menu takes what the menu programs read.
func (x *syslinux) menu(l line, value string) {
	key, value, _ := strings.Cut(value, " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(key) {
	case "begin":
		x.at = nil // what follows is about a menu
		x.depth++
	case "end":
		x.at = nil
		x.depth = max(0, x.depth-1)
	case "separator":
		x.at = nil // it ends a label
	case "include":
		x.include(l, value)
	case "label":
		if x.at != nil {
			x.at.title = strings.Replace(value, "^", "", 1) // it marks a key
		}
	case "default":
		if x.at != nil {
			x.at.isDefault = true
		}
	case "disable", "disabled":
		if x.at != nil {
			x.at.disabled = true
		}
	case "hide":
		if x.at != nil {
			x.at.hidden = true
		}
	case "exit", "goto", "help", "quit":
		if x.at != nil {
			x.at.moves = true
		}
	}
}

// include reads another file; a word behind its name makes a submenu of it.
func (x *syslinux) include(l line, value string) {
	name, tag, _ := strings.Cut(value, " ")
	if x.includes++; x.includes > maxIncludes {
		x.Notef("%s: more than %d files are included", l.where, maxIncludes)
		return
	}
	f, err := x.locate(x.here(name))
	if err == nil {
		var b []byte
		if b, err = x.volume.ReadConfig(f.Name); err == nil {
			depth := x.depth
			if tag != "" {
				x.depth++
			}
			x.read(entry.Printable(f.String()), string(b))
			if tag != "" {
				x.at, x.depth = nil, depth
			}
			return
		}
	}
	x.Notef("%s: include: %v", l.where, err)
}
