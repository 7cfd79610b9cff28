// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"runtime"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/loader"
	"github.com/imaboot/imaboot/pkg/loader/ipxe"
	"github.com/imaboot/imaboot/pkg/loader/syslinux"
)

// Configs finds what a lease names, and takes the first of these: the PXELINUX
// configuration of option 209; the boot file, if it is a script of iPXE or a
// PXELINUX configuration; a configuration that PXELINUX would look for; the
// boot file, if it is a kernel.
//
// An error that wraps fs.ErrNotExist means that the lease names nothing, or
// only files that do not exist.
func Configs(ctx context.Context, lease *Lease, read loader.Reader) (*entry.Config, error) {
	x := &probe{lease: lease, read: read}
	c, err := x.find(ctx)
	if c == nil {
		return nil, err
	}
	c.Notes = append(x.notes.Notes, c.Notes...)
	return c, nil
}

// A probe looks for the configuration of one lease.
type probe struct {
	lease *Lease
	read  loader.Reader
	notes entry.Config // for its notes
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
		if isKernel && !loader.IsProgram(file) && kernel == "" {
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

// bootFile reads the file that the lease says to load. A file that is no text,
// or larger than a text may be, is a kernel.
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
	case ipxe.IsScript(text):
		m := &ipxe.Machine{Client: x.lease.client(), Arch: runtime.GOARCH, Read: x.read}
		c, err := m.Run(ctx, file, text)
		return c, false, err
	case syslinux.IsPXE(text):
		u, err := url.Parse(file)
		if err != nil {
			return nil, false, fmt.Errorf("%w: %s: %w", entry.ErrConfig, file, err)
		}
		c, err := x.pxe(loader.Directory(u)).Parse(ctx, file, text)
		return c, false, err
	case loader.CheckText(text) != nil:
		return nil, true, nil
	}
	x.notes.Notef("%s: a text that is neither a script of iPXE nor a configuration of PXELINUX", file)
	return nil, false, nil
}

// readOptional reads a file that need not exist. A server that refuses one file
// may have the next.
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
	file, err := syslinux.Resolve(prefix, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", entry.ErrConfig, err)
	}
	for _, u := range []string{file.Name, file.Else} {
		if u == "" {
			continue
		}
		text, err := x.readOptional(ctx, u)
		if err != nil {
			return nil, err
		}
		if text != nil {
			return x.pxe(prefix).Parse(ctx, u, text)
		}
	}
	return nil, nil
}

// prefix returns what PXELINUX puts in front of names: option 210, or else the
// directory of the boot file. Without either there is no PXELINUX, but maybe a
// Petitboot, for which names are beside the configuration that option 209 names
// by a URL. What is left is the root of the server.
func (x *probe) prefix() (*url.URL, error) {
	server := &url.URL{Scheme: "tftp", Host: x.lease.Server, Path: "/"}
	config, err := url.Parse(x.lease.ConfigFile)
	isURL := err == nil && fetch.Loadable(config)
	switch {
	case len(x.lease.BootFiles) > 0:
		u, err := url.Parse(x.lease.BootFiles[0])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", entry.ErrConfig, err)
		}
		server = loader.Directory(u)
	case isURL && (x.lease.PathPrefix == "" || server.Host == ""):
		server = loader.Directory(config)
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

// pxe reads configurations of PXELINUX.
func (x *probe) pxe(prefix *url.URL) *syslinux.PXE {
	return &syslinux.PXE{Prefix: prefix, Client: x.lease.client(), Read: x.read}
}

// pxelinuxNames are the configurations that PXELINUX looks for. It is only
// started if the lease says something about booting.
func pxelinuxNames(l *Lease) []string {
	if len(l.BootFiles) == 0 && l.PathPrefix == "" {
		return nil
	}
	return syslinux.Names(l.client())
}

// client is what the lease tells loaders.
func (l *Lease) client() *loader.Client {
	c := &loader.Client{MAC: l.MAC, IP: l.IP, Server: l.Server, UUID: l.UUID, Settings: l.Settings}
	if len(l.BootFiles) > 0 {
		c.BootFile = l.BootFiles[0]
	}
	return c
}
