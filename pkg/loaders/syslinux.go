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
	SyslinuxLabel
	where, title, args, tree string // args are behind the kernel
	initrd, appended         string // appended: that of all labels when this one began, or its own
	other                    string // a directive that boots no kernel
}

// A syslinux is a configuration while it is read.
type syslinux struct {
	*source
	labels   []*label
	at       *label // nil outside
	appended string // to all labels
	menus    SyslinuxMenu
	depth    int
	includes int
}

// Syslinux reads a configuration of SYSLINUX, EXTLINUX or ISOLINUX, as
// https://wiki.syslinux.org/wiki/index.php?title=Config describes it, with the
// fdt key of U-Boot. The timeout is in tenths of a second, and 0 is for ever.
func Syslinux(v *entry.Volume, _ entry.Volumes) (*entry.Config, error) {
	s, err := find("syslinux", v, syslinuxFiles)
	if err != nil {
		return nil, err
	}
	x := &syslinux{source: s, menus: SyslinuxMenu{Implicit: true}}
	x.read(s.Source, s.text)
	for _, l := range bounded(s, x.labels) {
		x.menus.Labels = append(x.menus.Labels, x.finish(l))
	}
	x.menus.Choose(s.Config, x.command)
	return s.Config, nil
}

// finish makes an entry of a label.
func (x *syslinux) finish(l *label) SyslinuxLabel {
	out := l.SyslinuxLabel
	out.Entry = entry.Elsewhere
	switch {
	case l.Moves:
		return out
	case l.other != "":
		out.Options = x.choice(l).cmdline
		x.Notef("%s: %q is left out: %s is no Linux kernel", l.where, l.Name, entry.Printable(l.other))
		return out
	case l.Disabled:
		x.Notef("%s: %q is left out: it is disabled", l.where, l.Name)
		return out
	}
	ch := x.choice(l)
	switch err := x.add(ch); {
	case err == nil:
		out.Entry, out.Options = len(x.Entries)-1, ch.cmdline
	case l.Kernel != "" && errors.Is(err, fs.ErrNotExist):
		out.Entry = entry.None
	}
	return out
}

func (x *syslinux) choice(l *label) choice {
	ch := choice{where: l.where, id: l.Name, title: l.title, kernel: x.here(l.Kernel), cmdline: l.appended}
	if l.Kernel == "" {
		name, _ := FirstWord(l.Name)
		ch.kernel = x.here(name)
	}
	if l.args != "" && len(l.appended) <= maxCmdline { // or else it is refused, and not copied
		ch.cmdline = strings.TrimSpace(l.args + " " + l.appended)
	}
	// One more than there may be is enough to be refused.
	for _, name := range strings.SplitN(SyslinuxInitrds(ch.cmdline, l.initrd), ",", maxInitrds+2) {
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
	l := &label{appended: strings.TrimSpace(x.appended + " " + options)}
	l.Kernel = kernel
	ch := x.choice(l)
	e, err := x.build(ch)
	return e, ch.cmdline, err
}

// read takes one file's lines.
func (x *syslinux) read(file, text string) {
	help := false
	for _, l := range lines(file, text, false) {
		key, value := FirstWord(l.text)
		key = strings.ToLower(key)
		if help {
			help = key != "endtext"
			continue
		}
		if x.menus.Set(key, value, x.depth) {
			continue
		}
		switch key {
		case "text":
			help = true
		case "timeout":
			x.timeout(l, value)
		case "include":
			x.include(l, value)
		case "menu":
			x.menu(l, value)
		case "label":
			x.at = &label{SyslinuxLabel: SyslinuxLabel{Name: value, Depth: x.depth}, where: l.where, appended: x.appended}
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
	value, _ = FirstWord(value)
	if x.Timeout = x.wait(l, value, time.Second/10); x.Timeout != nil && *x.Timeout == 0 {
		*x.Timeout = -1
	}
}

func (x *syslinux) append(value string) {
	value = SyslinuxAppend(value)
	if x.at != nil {
		x.at.appended = value // in place of the global one
	} else {
		x.appended = value
	}
}

// set takes a directive of a label.
func (at *label) set(s *source, l line, key, value string) {
	switch key {
	case "kernel":
		at.Kernel, at.args = FirstWord(value)
		at.other = ""
		// The directive takes these for other things, too.
		also := slices.Contains([]string{".0", ".bin", ".img"}, strings.ToLower(path.Ext(at.Kernel)))
		if also || IsSyslinuxModule(at.Kernel) {
			at.other = value
		}
	case "linux":
		at.Kernel, at.args = FirstWord(value)
		at.other = ""
		if IsSyslinuxModule(at.Kernel) {
			at.other = value
		}
	case "com32":
		at.Kernel, at.args = FirstWord(value)
		at.other = key
	case "boot", "bss", "pxe", "fdimage", "comboot", "config", "localboot", "efi":
		at.other = key
	case "initrd":
		at.initrd = value
	case "fdt", "devicetree":
		at.tree = value
	case "fdtdir", "devicetreedir", "fdtoverlays", "devicetree-overlay":
		s.Notef("%s: %s has no effect", l.where, key)
	}
}

// menu takes what the menu programs read.
func (x *syslinux) menu(l line, value string) {
	key, value := FirstWord(value)
	switch key = strings.ToLower(key); {
	case key == "include":
		x.include(l, value)
	case key == "begin":
		x.at = nil // what follows is about a menu
		x.depth++
	case key == "end":
		x.at = nil
		x.depth = max(0, x.depth-1)
	case key == "separator":
		x.at = nil // it ends a label
	case x.at == nil:
	case key == "label":
		x.at.title = strings.Replace(value, "^", "", 1) // it marks a key
	default:
		x.at.Menu(key)
	}
}

// include reads another file; a word behind its name makes a submenu of it.
func (x *syslinux) include(l line, value string) {
	name, tag := FirstWord(value)
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
				x.at = nil
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
