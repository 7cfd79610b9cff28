// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"runtime"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/loaders"
)

// A Reader downloads a text, as fetch.Fetcher.Text does.
type Reader func(ctx context.Context, url string) ([]byte, error)

// Configs finds what a lease names: the PXELINUX configuration of option 209;
// or the boot file, if that is a script of iPXE or a PXELINUX configuration;
// or a configuration that PXELINUX would look for; or the boot file, if that
// is a kernel.
//
// An error that wraps fs.ErrNotExist means that the lease names nothing, or
// nothing that there is.
func Configs(ctx context.Context, lease *Lease, read Reader) (*entry.Config, error) {
	x := &probe{lease: lease, read: read}
	c, err := x.find(ctx)
	if c == nil {
		return nil, err
	}
	c.Notes = append(x.notes.Notes, c.Notes...)
	return c, nil
}

// A probe looks for one lease's configuration.
type probe struct {
	lease *Lease
	read  Reader
	notes entry.Config // only its notes
}

func (x *probe) find(ctx context.Context) (*entry.Config, error) {
	if x.lease.ConfigFile != "" {
		prefix, err := x.prefix()
		if err != nil {
			return nil, err
		}
		c, err := x.tryPXELINUX(ctx, prefix, x.lease.ConfigFile)
		if c != nil || err != nil {
			return c, err
		}
	}
	kernel := ""
	for _, file := range x.lease.BootFiles {
		c, isKernel, err := x.bootFile(ctx, file)
		if c != nil || err != nil {
			return c, err
		}
		if isKernel && !loaders.IsSyslinuxModule(file) && kernel == "" {
			kernel = file
		}
	}
	if prefix, err := x.prefix(); err == nil {
		for _, name := range pxelinuxNames(x.lease) {
			c, err := x.tryPXELINUX(ctx, prefix, name)
			if c != nil || err != nil {
				return c, err
			}
		}
	}
	if kernel == "" {
		return nil, fmt.Errorf("%w: %s: nothing to boot that there is: %w", entry.ErrConfig, x.lease.Interface, fs.ErrNotExist)
	}
	return &entry.Config{
		Kind: "url", Source: kernel,
		Entries: []entry.Entry{{Kernel: entry.File{Name: kernel}}},
	}, nil
}

// bootFile looks at what the lease says to load. A kernel is not text, or more
// than a text may be.
func (x *probe) bootFile(ctx context.Context, file string) (c *entry.Config, isKernel bool, err error) {
	if strings.HasSuffix(file, "/") {
		return nil, false, nil
	}
	text, err := x.readOptional(ctx, file)
	switch {
	case errors.Is(err, fetch.ErrTooBig):
		return nil, true, nil
	case err != nil || text == nil:
		return nil, false, err
	case isScript(text):
		c, err := parseIPXE(ctx, file, text, x.lease, x.read, runtime.GOARCH)
		return c, false, err
	case hasPrefixFold(text, "# pxelinux"):
		// QEMU's s390-ccw loads such a file, too.
		u, err := url.Parse(file)
		if err != nil {
			return nil, false, fmt.Errorf("%w: %s: %w", entry.ErrConfig, file, err)
		}
		c, err := parsePXELINUX(ctx, directory(u), file, text, x.lease, x.read)
		return c, false, err
	case checkText(text) != nil:
		return nil, true, nil
	}
	x.notes.Notef("%s: a text that is neither a script of iPXE nor a configuration of PXELINUX", file)
	return nil, false, nil
}

// readOptional reads a file that need not be there. A server that refuses it
// may have the next one.
func (x *probe) readOptional(ctx context.Context, file string) ([]byte, error) {
	text, err := x.read(ctx, file)
	if errors.Is(err, fetch.ErrRefused) {
		x.notes.Notef("%v", err)
	}
	if errors.Is(err, fetch.ErrNotFound) || errors.Is(err, fetch.ErrRefused) {
		return nil, nil
	}
	if err == nil && text == nil {
		text = []byte{}
	}
	return text, err
}

func (x *probe) tryPXELINUX(ctx context.Context, prefix *url.URL, name string) (*entry.Config, error) {
	file, err := resolve(prefix, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", entry.ErrConfig, err)
	}
	text, err := x.readOptional(ctx, file)
	if err != nil || text == nil {
		return nil, err
	}
	return parsePXELINUX(ctx, prefix, file, text, x.lease, x.read)
}

// prefix is what PXELINUX puts in front of names: option 210, or else the
// directory of the boot file, or else the server's top one.
func (x *probe) prefix() (*url.URL, error) {
	server := &url.URL{Scheme: "tftp", Host: x.lease.Server, Path: "/"}
	if len(x.lease.BootFiles) > 0 {
		u, err := url.Parse(x.lease.BootFiles[0])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", entry.ErrConfig, err)
		}
		server = directory(u)
	}
	name := x.lease.PathPrefix
	if name == "" {
		if server.Host == "" {
			return nil, fmt.Errorf("%w: %s: no server: %w", entry.ErrConfig, x.lease.Interface, fs.ErrNotExist)
		}
		return server, nil
	}
	u, err := url.Parse(name)
	if err != nil {
		return nil, fmt.Errorf("%w: DHCP option 210: no path: %s", entry.ErrConfig, entry.Printable(name))
	}
	if u.Scheme == "" {
		u = &url.URL{Scheme: server.Scheme, Host: server.Host, Path: "/" + strings.TrimLeft(name, "/")}
	}
	if !fetch.Loadable(u) {
		return nil, fmt.Errorf("%w: DHCP option 210: no path that can be loaded from: %s", entry.ErrConfig, entry.Printable(name))
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// pxelinuxNames are the configurations that PXELINUX looks for, in its order
// (the Syslinux wiki, PXELINUX, "Configuration"). Without a word on booting it
// would not have been started.
func pxelinuxNames(l *Lease) []string {
	if len(l.BootFiles) == 0 && l.PathPrefix == "" {
		return nil
	}
	var names []string
	if l.UUID != "" {
		names = append(names, l.UUID)
	}
	if len(l.MAC) > 0 {
		names = append(names, bootif(l))
	}
	if ip := l.IP.To4(); ip != nil {
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

// bootif is the hardware address as PXELINUX has it, Ethernet's type in front.
func bootif(l *Lease) string {
	return "01-" + strings.ReplaceAll(l.MAC.String(), ":", "-")
}

// isScript: iPXE takes the mark of its predecessor, too.
func isScript(text []byte) bool {
	return bytes.HasPrefix(text, []byte("#!ipxe")) || bytes.HasPrefix(text, []byte("#!gpxe"))
}

func hasPrefixFold(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(string(text[:len(prefix)]), prefix)
}
