// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loaders"
)

// Bits of SYSAPPEND.
const (
	sysappendIP     = 1 << 0
	sysappendBOOTIF = 1 << 1
	sysappendUUID   = 1 << 2
)

// finish makes an entry of a label, or notes why not.
func (p *pxelinux) finish(l *label) loaders.SyslinuxLabel {
	out := loaders.SyslinuxLabel{
		Name: l.name, Kernel: l.kernel, Depth: l.depth, Default: l.isDefault, Disabled: l.disabled, Entry: entry.Elsewhere,
	}
	if l.hidden {
		out.Depth++ // is in no menu
	}
	if l.moves {
		return out
	}
	e, err := p.build(l)
	if err != nil {
		p.config.Notef("%s: label %s: %v", l.where, entry.Printable(l.name), err)
		out.Options = cmp.Or(l.args, l.appended())
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
	l := &label{kernel: kernel, options: &options, sysappend: p.global.sysappend, where: p.config.Source}
	e, err := p.build(l)
	plain := e.Cmdline
	e.Cmdline = strings.TrimSpace(e.Cmdline + p.sysappend(l))
	return e, plain, err
}

// appended is APPEND's. A label's own line replaces the one that was for all
// when the label began; a dash is none at all.
func (l *label) appended() string {
	if l.options == nil || *l.options == "-" {
		return ""
	}
	return *l.options
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
	appended := l.appended()
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
			// The loader takes the first of them, since SYSLINUX 5.
			if list, found := strings.CutPrefix(word, "initrd="); found {
				initrd = list
				break
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
	if l.sysappend == nil {
		return ""
	}
	bits, text := *l.sysappend, ""
	if ip := p.address(); bits&sysappendIP != 0 && ip != "" {
		text += " ip=" + ip
		bits &^= sysappendIP
	}
	if bits&sysappendBOOTIF != 0 && len(p.lease.MAC) > 0 {
		text += " BOOTIF=" + bootif(p.lease)
	}
	if bits&sysappendUUID != 0 && p.lease.UUID != "" {
		text += " SYSUUID=" + p.lease.UUID
	}
	if left := bits &^ (sysappendBOOTIF | sysappendUUID); left != 0 {
		p.config.Notef("%s: sysappend %d is passed over", l.where, left)
	}
	return text
}

// address is CLIENT:SERVER:GATEWAY:NETMASK, empty if one is not known.
func (p *pxelinux) address() string {
	parts := []string{p.lease.IP.String(), p.lease.Server, p.lease.Settings["gateway"], p.lease.Settings["netmask"]}
	for _, part := range parts {
		if ip := net.ParseIP(part); ip.To4() == nil {
			return ""
		}
	}
	return strings.Join(parts, ":")
}
