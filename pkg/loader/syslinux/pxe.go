// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package syslinux

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/loader"
)

// PXE is what PXELINUX knows when it reads a configuration.
type PXE struct {
	// Prefix is put in front of relative names. It need not end in a slash.
	Prefix *url.URL
	Client *loader.Client
	// Read downloads included files.
	Read loader.Reader
}

// Parse reads a configuration of PXELINUX, as Syslinux's wiki describes it. file
// is its URL. It does not check whether the files of entries exist. Errors wrap
// entry.ErrConfig, or are the context's.
func (p *PXE) Parse(ctx context.Context, file string, text []byte) (*entry.Config, error) {
	x := &reader{
		Config: &entry.Config{Kind: "pxelinux", Source: file, Default: entry.None},
		pxe:    p,
		locate: func(r loader.Ref) (entry.File, error) {
			return Resolve(p.Prefix, r.Name)
		},
		load: func(ctx context.Context, f entry.File) ([]byte, error) {
			return loader.Get(f, func(url string) ([]byte, error) { return p.Read(ctx, url) })
		},
	}
	if err := x.read(ctx, file, text, 0); err != nil {
		return nil, err
	}
	x.finish()
	return x.Config, nil
}

// IsPXE reports whether a text begins with the mark of PXELINUX's
// configurations, which QEMU's s390-ccw looks for, too.
func IsPXE(text []byte) bool {
	const mark = "# pxelinux"
	return len(text) >= len(mark) && strings.EqualFold(string(text[:len(mark)]), mark)
}

// Names returns the names of the configurations that PXELINUX looks for, in its
// order (the Syslinux wiki, PXELINUX, "Configuration").
func Names(c *loader.Client) []string {
	var names []string
	if c.UUID != "" {
		names = append(names, c.UUID)
	}
	if len(c.MAC) > 0 {
		names = append(names, bootif(c))
	}
	if ip := c.IP.To4(); ip != nil {
		digits := strings.ToUpper(hex.EncodeToString(ip))
		for n := len(digits); n > 0; n-- {
			names = append(names, digits[:n])
		}
	}
	names = append(names, "default")
	for i := range names {
		names[i] = "pxelinux.cfg/" + names[i]
	}
	return names
}

// Resolve returns the file that a name in a configuration of PXELINUX means. A
// name that is no URL is appended to the prefix as it is (RFC 5071, section 5),
// even if it begins with a slash; QEMU's s390-ccw and others look for such a name
// in the root of the server, which comes second here. HOST::PATH is PXELINUX's
// own form of a URL.
func Resolve(prefix *url.URL, name string) (entry.File, error) {
	if host, file, found := strings.Cut(name, "::"); found && !strings.Contains(host, "/") {
		u := url.URL{Scheme: "tftp", Host: host, Path: path.Clean("/" + file)}
		if host == "" {
			u.Scheme, u.Host = prefix.Scheme, prefix.Host
		}
		return entry.File{Name: u.String()}, nil
	}
	u, err := url.Parse(name)
	switch {
	case err == nil && fetch.Loadable(u):
		return entry.File{Name: u.String()}, nil
	case err != nil || u.Scheme != "" || u.Host != "" || u.Path == "":
		return entry.File{}, fmt.Errorf("no file that can be loaded: %s", entry.Printable(name))
	}
	to := *prefix
	to.RawQuery, to.Fragment, to.RawPath = u.RawQuery, "", ""
	at := func(name string) string {
		to.Path = path.Clean("/" + name)
		return to.String()
	}
	f := entry.File{Name: at(prefix.Path + u.Path)}
	if top := at(u.Path); path.IsAbs(u.Path) && top != f.Name {
		f.Else = top
	}
	return f, nil
}

// Bits of SYSAPPEND.
const (
	sysappendIP     = 1 << 0
	sysappendBOOTIF = 1 << 1
	sysappendUUID   = 1 << 2
)

// setSysappend takes the bits of SYSAPPEND, which have no meaning on a disk.
func (x *reader) setSysappend(l loader.Line, key, value string) {
	if x.pxe == nil {
		return
	}
	word, _ := loader.FirstWord(value)
	n, err := strconv.ParseUint(word, 0, 32)
	if err != nil {
		x.Notef("%s: %s: no number: %s", l.Where, key, entry.Printable(value))
		return
	}
	if x.at != nil {
		x.at.sysappend = &n
	} else {
		x.global.sysappend = &n
	}
}

// sysappend is what PXELINUX adds to a label's command line, each word with a
// blank in front.
func (x *reader) sysappend(l *label) string {
	if l.sysappend == nil {
		return ""
	}
	c := x.pxe.Client
	bits, text := *l.sysappend, ""
	if ip := address(c); bits&sysappendIP != 0 && ip != "" {
		text += " ip=" + ip
		bits &^= sysappendIP
	}
	if bits&sysappendBOOTIF != 0 && len(c.MAC) > 0 {
		text += " BOOTIF=" + bootif(c)
	}
	if bits&sysappendUUID != 0 && c.UUID != "" {
		text += " SYSUUID=" + c.UUID
	}
	if left := bits &^ (sysappendBOOTIF | sysappendUUID); left != 0 {
		x.Notef("%s: sysappend %d has no effect", l.where, left)
	}
	return text
}

// bootif is the hardware address as PXELINUX writes it, after Ethernet's type.
func bootif(c *loader.Client) string {
	return "01-" + strings.ReplaceAll(c.MAC.String(), ":", "-")
}

// address is CLIENT:SERVER:GATEWAY:NETMASK, empty if one of them is not known.
func address(c *loader.Client) string {
	parts := []string{c.IP.String(), c.Server, c.Settings["gateway"], c.Settings["netmask"]}
	for _, part := range parts {
		if ip := net.ParseIP(part); ip.To4() == nil {
			return ""
		}
	}
	return strings.Join(parts, ":")
}
