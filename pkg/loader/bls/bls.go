// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package bls reads type #1 entries of the Boot Loader Specification,
// https://uapi-group.org/specifications/specs/boot_loader_specification/, as
// systemd-boot, zipl, and the blscfg command of the GRUB in Fedora and RHEL do.
//
// It does not use pkg/boot/bls of u-root, which loses repeated initrd and
// options keys, and all files of an initrd line but one. It also sorts in
// reverse string order, never finds the default of loader.conf, does not split
// keys at tabs, and leaves files open.
package bls

import (
	"cmp"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// maxEntries is how many entries are read; an installation has fewer than ten.
const maxEntries = loader.MaxEntries

// Parse reads all entries of a volume, in the order of the specification, as
// systemd-boot and zipl do. The default is that of loader.conf, zipl.conf or
// GRUB's environment block; the first that has one decides. If the volume has no
// loader.conf or zipl.conf, Parse reads those of the other volumes, first of the
// same disk: entries may be on a file system of their own.
//
// An error that wraps fs.ErrNotExist means that there are no entries.
func Parse(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	return parse(v, all, runtime.GOARCH)
}

func parse(v *entry.Volume, all entry.Volumes, arch string) (*entry.Config, error) {
	is := systemd
	if arch == "s390x" {
		is = zipl
	}
	at, names := find(v, usual(v), is)
	if len(names) == 0 {
		return nil, nothing(v, directories[0])
	}
	c := &entry.Config{Kind: "bls", Source: at.String(), Default: entry.None}
	env := newVariables(c, at, nil)
	var found []*snippet
	for _, s := range at.read(c, names, is, env, arch) {
		if s.wrong != nil {
			c.Notef("left out: %v", s.wrong)
			if !s.elsewhere || is != systemd {
				continue
			}
		}
		found = append(found, s)
	}
	slices.SortStableFunc(found, compare)
	for _, s := range found {
		if !s.elsewhere {
			c.Entries = append(c.Entries, s.Entry)
		}
	}
	volumes := append(entry.Volumes{v}, loader.Others(v, all)...)
	choose(c, volumes, path.Dir(at.dir), found, env)
	return c, nil
}

// read reads files. Of an entry that cannot be booted it says why.
func (at *place) read(c *entry.Config, names []string, is reader, env *variables, arch string) []*snippet {
	if len(names) > maxEntries {
		c.Notef("%s: only the first %d of %d files are read", at, maxEntries, len(names))
		names = names[:maxEntries]
	}
	var found []*snippet
	for _, name := range names {
		s, err := read(at.volume, path.Join(at.dir, name), is)
		if err == nil {
			err = s.complete(at, env, arch)
		}
		if s.wrong = err; err == nil && s.overlays {
			c.Notef("%s: device tree overlays are not applied", s.where)
		}
		found = append(found, s)
	}
	return found
}

// compare orders entries as the specification says. If no entry has a sort-key,
// that is the order of file names, as in GRUB and zipl. There a rescue entry
// comes last because its version is 0; here it comes last whatever its
// machine-id is.
func compare(a, b *snippet) int {
	if o := cmp.Or(isFirst(!a.exhausted, !b.exhausted), isFirst(a.sortKey != "", b.sortKey != "")); o != 0 {
		return o
	}
	if a.sortKey != "" {
		o := cmp.Or(
			strings.Compare(a.sortKey, b.sortKey),
			strings.Compare(a.machineID, b.machineID),
			compareVersions(b.version, a.version))
		if o != 0 {
			return o
		}
	}
	return cmp.Or(isFirst(!a.rescue(), !b.rescue()), compareVersions(b.ID+b.end, a.ID+a.end), strings.Compare(a.ID, b.ID))
}

func isFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
