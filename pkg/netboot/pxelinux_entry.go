// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"errors"
	"fmt"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loaders"
)

// Bits of SYSAPPEND.
const (
	sysappendBOOTIF = 1 << 1
	sysappendUUID   = 1 << 2
)

// finish makes an entry of a label, or notes why not.
func (p *pxelinux) finish(l *label) loaders.SyslinuxLabel {
	out := loaders.SyslinuxLabel{
		Name: l.name, Kernel: l.kernel, Depth: l.depth, Default: l.isDefault, Disabled: l.disabled, Entry: entry.Elsewhere,
	}
	e, err := p.build(l)
	if err != nil {
		p.config.Notef("%s: label %s: %v", l.where, entry.Printable(l.name), err)
		return out
	}
	out.Options, out.Entry = e.Cmdline, len(p.config.Entries)
	e.Cmdline = strings.TrimSpace(e.Cmdline + p.sysappend(l))
	p.config.Entries = append(p.config.Entries, e)
	return out
}

// command makes an entry of a command line without a label, which gets the
// global APPEND in front.
func (p *pxelinux) command(kernel, options string) (entry.Entry, string, error) {
	if global := p.global.options; global != nil && *global != "-" {
		options = strings.TrimSpace(*global + " " + options)
	}
	l := &label{kernel: kernel, options: &options, where: p.config.Source}
	e, err := p.build(l)
	plain := e.Cmdline
	e.Cmdline = strings.TrimSpace(e.Cmdline + p.sysappend(l))
	return e, plain, err
}

// build makes an entry without what SYSAPPEND adds.
func (p *pxelinux) build(l *label) (e entry.Entry, err error) {
	switch {
	case l.other || loaders.IsSyslinuxModule(l.kernel):
		return e, errors.New("boots no Linux")
	case l.disabled:
		return e, errors.New("is disabled")
	case l.kernel == "":
		return e, errors.New("no kernel")
	}
	e = entry.Entry{ID: l.name, Title: l.title, Cmdline: l.args}
	if e.Kernel.Name, err = resolve(p.prefix, l.kernel); err != nil {
		return e, err
	}
	// A label's own line replaces the one for all; a dash is none at all.
	appended := ""
	if a := firstSet(l.options, p.global.options); a != nil && *a != "-" {
		appended = *a
	}
	if len(e.Cmdline)+1+len(appended) > maxCmdline {
		return e, fmt.Errorf("a command line of more than %d bytes", maxCmdline)
	}
	switch {
	case e.Cmdline == "":
		e.Cmdline = appended // often that of all labels, and not copied
	case appended != "":
		e.Cmdline += " " + appended
	}
	initrd := l.initrd
	if initrd == "" && strings.Contains(e.Cmdline, "initrd=") {
		for word := range strings.FieldsSeq(e.Cmdline) {
			// The loader takes the last of them.
			if list, found := strings.CutPrefix(word, "initrd="); found {
				initrd = list
			}
		}
	}
	if strings.Count(initrd, ",") >= maxInitrds {
		return e, fmt.Errorf("more than %d initrds", maxInitrds)
	}
	for name := range strings.SplitSeq(initrd, ",") {
		if name == "" {
			continue
		}
		u, err := resolve(p.prefix, name)
		if err != nil {
			return e, err
		}
		e.Initrds = append(e.Initrds, entry.File{Name: u})
	}
	if l.fdt != "" {
		u, err := resolve(p.prefix, l.fdt)
		if err != nil {
			return e, err
		}
		e.DeviceTree = &entry.File{Name: u}
	}
	return e, nil
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
