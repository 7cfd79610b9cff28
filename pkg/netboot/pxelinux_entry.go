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
	out := l.SyslinuxLabel
	out.Entry = entry.Elsewhere
	if l.Moves {
		return out
	}
	e, err := p.build(l)
	if err != nil {
		p.config.Notef("%s: label %s: %v", l.where, entry.Printable(l.Name), err)
		out.Options = cmp.Or(l.args, l.appended)
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
	l := &label{appended: strings.TrimSpace(p.global.appended + " " + options), sysappend: p.global.sysappend, where: p.config.Source}
	l.Kernel = kernel
	e, err := p.build(l)
	plain := e.Cmdline
	e.Cmdline = strings.TrimSpace(e.Cmdline + p.sysappend(l))
	return e, plain, err
}

// build makes an entry without what SYSAPPEND adds.
func (p *pxelinux) build(l *label) (e entry.Entry, err error) {
	switch {
	case l.other || loaders.IsSyslinuxModule(l.Kernel):
		return e, errors.New("boots no Linux")
	case l.Disabled:
		return e, errors.New("is disabled")
	case l.Kernel == "":
		return e, errors.New("no kernel")
	}
	e = entry.Entry{ID: l.Name, Title: l.title, Cmdline: l.args}
	if e.Kernel.Name, err = resolve(p.prefix, l.Kernel); err != nil {
		return e, err
	}
	if len(e.Cmdline)+1+len(l.appended) > maxCmdline {
		return e, fmt.Errorf("a command line of more than %d bytes", maxCmdline)
	}
	switch {
	case e.Cmdline == "":
		e.Cmdline = l.appended // often that of all labels, and not copied
	case l.appended != "":
		e.Cmdline += " " + l.appended
	}
	initrd := loaders.SyslinuxInitrds(e.Cmdline, l.initrd)
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
