// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// Bits of SYSAPPEND.
const (
	sysappendBOOTIF = 1 << 1
	sysappendUUID   = 1 << 2
)

// modules are how names of what KERNEL starts end that is no Linux. PXELINUX
// takes every name in .0 for a network boot program, .bin for a boot sector and
// .img for a disk; kernels have such names, too.
var modules = []string{"pxelinux.0", ".bs", ".bss", ".c32", ".cbt", ".com", ".efi"}

func isModule(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(modules, func(m string) bool { return strings.HasSuffix(name, m) })
}

// finish makes an entry of a label, or notes why not.
func (p *pxelinux) finish(l *label) {
	file, args := l.kernel, l.args
	skip := func(format string, a ...any) {
		p.config.Notef("%s: label %s: "+format, append([]any{l.where, entry.Printable(l.name)}, a...)...)
	}
	switch {
	case l.other || isModule(file):
		skip("boots no Linux, or is disabled")
		return
	case file == "":
		skip("no kernel")
		return
	}
	e := entry.Entry{ID: l.name, Title: l.title}
	names := func(list string) ([]entry.File, bool) {
		var files []entry.File
		for name := range strings.SplitSeq(list, ",") {
			if name == "" {
				continue
			}
			u, err := resolve(p.prefix, name)
			if err != nil {
				skip("%v", err)
				return nil, false
			}
			files = append(files, entry.File{Name: u})
		}
		return files, true
	}
	kernel, err := resolve(p.prefix, file)
	if err != nil {
		skip("%v", err)
		return
	}
	e.Kernel.Name = kernel

	// A label's own line replaces the one for all; a dash is none at all.
	if appended := firstSet(l.options, p.global.options); appended != nil && *appended != "-" {
		args = strings.TrimSpace(args + " " + *appended)
	}
	initrd := l.initrd
	for word := range strings.FieldsSeq(args) {
		// The loader takes the last of them.
		if list, found := strings.CutPrefix(word, "initrd="); found && l.initrd == "" {
			initrd = list
		}
	}
	var ok bool
	if e.Initrds, ok = names(initrd); !ok {
		return
	}
	if l.fdt != "" {
		u, err := resolve(p.prefix, l.fdt)
		if err != nil {
			skip("%v", err)
			return
		}
		e.DeviceTree = &entry.File{Name: u}
	}
	e.Cmdline = strings.TrimSpace(args + p.sysappend(l))
	p.config.Entries = append(p.config.Entries, e)
}

// sysappend is what PXELINUX itself knows, behind a blank each.
func (p *pxelinux) sysappend(l *label) string {
	bits := firstSet(l.sysappend, p.global.sysappend)
	if bits == nil {
		return ""
	}
	text := ""
	if *bits&sysappendBOOTIF != 0 && len(p.lease.MAC) > 0 {
		text += " BOOTIF=" + bootif(p.lease)
	}
	if *bits&sysappendUUID != 0 && p.lease.UUID != "" {
		text += " SYSUUID=" + p.lease.UUID
	}
	if left := *bits &^ (sysappendBOOTIF | sysappendUUID); left != 0 {
		p.config.Notef("%s: sysappend %d is passed over", l.where, left)
	}
	return text
}

func firstSet[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}
