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
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// directories are where entries are stored: on a volume that is /boot or the
// ESP, and on one that contains /boot.
var directories = []string{"loader/entries", "boot/loader/entries"}

// maxEntries is how many entries are read; an installation has fewer than ten.
const maxEntries = 1000

// Parse reads all entries of a volume, in the order of the specification.
//
// vars are the variables of the GRUB whose configuration calls blscfg, or nil
// if there is none. With them the default is the entry that saved_entry names,
// or else the first one. Without them the default is that of loader.conf,
// zipl.conf or GRUB's environment block; the first that has one decides.
//
// An error that wraps fs.ErrNotExist means that there are no entries.
func Parse(v *entry.Volume, vars map[string]string) (*entry.Config, error) {
	return parse(v, nil, vars, runtime.GOARCH)
}

// ParseAmong is Parse without a GRUB. If the volume has no loader.conf or
// zipl.conf, it reads those of the other volumes: entries may be on a file
// system of their own.
func ParseAmong(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	return parse(v, all, nil, runtime.GOARCH)
}

func parse(v *entry.Volume, all entry.Volumes, vars map[string]string, arch string) (*entry.Config, error) {
	dir, names := find(v)
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: %s: no %s/*.conf: %w", entry.ErrConfig, v.Device, directories[0], fs.ErrNotExist)
	}
	c := &entry.Config{Kind: "bls", Source: entry.File{Volume: v, Name: "/" + dir}.String(), Default: -1}
	if len(names) > maxEntries {
		c.Notef("%s: only the first %d of %d files are read", c.Source, maxEntries, len(names))
		names = names[:maxEntries]
	}
	env := newVariables(c, v, vars)
	isSystemd := vars == nil && arch != "s390x"
	var found []*snippet
	for _, name := range names {
		s, err := read(v, path.Join(dir, name))
		if err == nil {
			err = s.complete(v, env, arch)
		}
		if err != nil {
			c.Notef("left out: %v", err)
		}
		if err != nil && (s == nil || !s.elsewhere || !isSystemd) {
			continue
		}
		if s.overlays {
			c.Notef("%s: device tree overlays are not applied", s.where)
		}
		found = append(found, s)
	}
	if isSystemd {
		for _, s := range found {
			s.end = ".conf"
		}
	}
	slices.SortStableFunc(found, compare)
	for _, s := range found {
		if !s.elsewhere {
			c.Entries = append(c.Entries, s.Entry)
		}
	}
	volumes := append(entry.Volumes{v}, all...)
	choose(c, volumes, path.Dir(dir), found, env, vars != nil)
	return c, nil
}

func find(v *entry.Volume) (string, []string) {
	for _, dir := range directories {
		names := slices.DeleteFunc(v.List(dir), func(name string) bool { return !strings.HasSuffix(name, ".conf") })
		if len(names) > 0 {
			return dir, names
		}
	}
	return "", nil
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

// locate finds a file of an entry. Names are relative to the root of the
// entry's file system. If /boot is a file system of its own, or used to be one,
// names may begin with /boot or lack it.
func locate(v *entry.Volume, name string) (entry.File, error) {
	name = path.Join("/", name)
	other := "/boot" + name
	if in, ok := strings.CutPrefix(name, "/boot/"); ok {
		other = "/" + in
	}
	_, err := v.Path(name)
	if errors.Is(err, fs.ErrNotExist) && v.Exists(other) {
		return entry.File{Volume: v, Name: other}, nil
	}
	return entry.File{Volume: v, Name: name}, err
}
