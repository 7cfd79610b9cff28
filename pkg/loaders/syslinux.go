// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

// syslinuxFiles are in the order of SYSLINUX's documentation, then U-Boot's.
var syslinuxFiles = []string{
	"boot/syslinux/syslinux.cfg", "syslinux/syslinux.cfg", "syslinux.cfg",
	"boot/extlinux/extlinux.conf", "extlinux/extlinux.conf", "extlinux.conf",
	"boot/syslinux/extlinux.conf", "syslinux/extlinux.conf",
	"boot/isolinux/isolinux.cfg", "isolinux/isolinux.cfg", "isolinux.cfg",
}

// maxIncludes bounds files that are included, and files in files.
const maxIncludes = 64

// A label is one entry of SYSLINUX's.
type label struct {
	where, name, title, kernel, tree string
	initrd, appended                 *string
	other                            string // a directive that boots no kernel
}

// A syslinux is a configuration while it is read.
type syslinux struct {
	*source
	labels   []*label
	at       *label // nil outside
	appended string
	def      string
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
	x := &syslinux{source: s}
	x.read(s.Source, s.text)
	x.labels = bounded(s, x.labels)
	for _, l := range x.labels {
		x.finish(l)
	}
	x.chooseDefault()
	return s.Config, nil
}

// finish makes an entry of a label.
func (x *syslinux) finish(l *label) {
	if l.other != "" {
		x.Notef("%s: %q is left out: %s is no Linux kernel", l.where, l.name, l.other)
		return
	}
	ch := choice{where: l.where, id: l.name, title: l.title, kernel: x.here(l.kernel), cmdline: x.appended}
	if l.kernel == "" {
		ch.kernel = x.here(l.name)
	}
	if l.appended != nil {
		ch.cmdline = *l.appended // in place of the global one
	}
	initrd := ""
	if len(ch.cmdline) <= maxCmdline && strings.Contains(ch.cmdline, "initrd=") {
		words := slices.DeleteFunc(strings.Fields(ch.cmdline), func(word string) bool {
			name, ok := strings.CutPrefix(word, "initrd=")
			if ok {
				initrd = name
			}
			return ok
		})
		ch.cmdline = strings.Join(words, " ")
	}
	if l.initrd != nil {
		initrd = *l.initrd
	}
	for name := range strings.SplitSeq(initrd, ",") {
		if name = strings.TrimSpace(name); name != "" {
			ch.initrds = append(ch.initrds, x.here(name))
		}
	}
	if l.tree != "" {
		tree := x.here(l.tree)
		ch.tree = &tree
	}
	x.add(ch)
}

// chooseDefault: the default is a label that may have options behind it, or a
// menu program, whose own default is the first entry.
func (x *syslinux) chooseDefault() {
	name, options, _ := strings.Cut(x.def, " ")
	has := func(name string) bool {
		return slices.ContainsFunc(x.labels, func(l *label) bool { return l.name == name })
	}
	switch {
	case has(x.def):
		x.choose(x.def)
	case has(name):
		x.choose(name)
		x.Notef("%s: options of the default are left out: %q", x.Source, options)
	case len(x.labels) > 0 && (name == "" || path.Ext(name) == ".c32"):
		x.choose(x.labels[0].name)
	}
}

// read takes one file's lines.
func (x *syslinux) read(file, text string) {
	help := false
	for _, l := range lines(file, text) {
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
			x.def = value
		case "timeout":
			if x.Timeout = x.wait(l, value, time.Second/10); x.Timeout != nil && *x.Timeout == 0 {
				*x.Timeout = -1
			}
		case "include":
			x.include(l, value)
		case "menu":
			x.menu(l, value)
		case "label":
			x.at = &label{where: l.where, name: value}
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

func (x *syslinux) append(value string) {
	if value == "-" {
		value = ""
	}
	if x.at != nil {
		x.at.appended = &value
	} else {
		x.appended = value
	}
}

// notLinux are ends of names that the kernel directive takes for other things.
var notLinux = []string{".0", ".bin", ".bs", ".bss", ".c32", ".cbt", ".com", ".img", ".efi"}

// set takes a directive of a label.
func (at *label) set(s *source, l line, key, value string) {
	switch key {
	case "kernel":
		at.kernel, at.other = value, ""
		if slices.Contains(notLinux, strings.ToLower(path.Ext(value))) {
			at.other = value
		}
	case "linux":
		at.kernel, at.other = value, ""
	case "boot", "bss", "pxe", "fdimage", "comboot", "com32", "config", "localboot", "efi":
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
	case "begin", "end":
		x.at = nil // what follows is about a menu
	case "include":
		x.include(l, value)
	case "label":
		if x.at != nil {
			x.at.title = strings.Replace(value, "^", "", 1) // it marks a key
		}
	case "default":
		if x.at != nil {
			x.def = x.at.name
		}
	}
}

// include reads another file; a word behind its name is about a menu.
func (x *syslinux) include(l line, value string) {
	name, _, _ := strings.Cut(value, " ")
	if x.includes++; x.includes > maxIncludes {
		x.Notef("%s: more than %d files are included", l.where, maxIncludes)
		return
	}
	f, err := x.locate(x.here(name))
	if err == nil {
		var b []byte
		if b, err = x.volume.ReadConfig(f.Name); err == nil {
			x.read(entry.Printable(f.String()), string(b))
			return
		}
	}
	x.Notef("%s: include: %v", l.where, err)
}
