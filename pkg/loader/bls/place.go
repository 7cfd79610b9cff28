// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package bls

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// A reader is the program whose entries are read. Each sees other files.
type reader uint8

const (
	systemd reader = iota
	zipl
	grub
)

// sees reports whether the name of a file is that of an entry.
func (is reader) sees(name string) bool {
	switch is {
	case systemd:
		return strings.HasSuffix(strings.ToLower(name), ".conf") && name[0] != '.' && !strings.HasPrefix(name, "auto-")
	case grub:
		return strings.HasSuffix(name, ".conf") && name[0] != '.'
	}
	return strings.HasSuffix(name, ".conf")
}

// A place is a directory of entries.
type place struct {
	volume *entry.Volume
	dir    string // without a slash in front
	// below is the subvolume of btrfs that is the root file system, or /boot;
	// empty if the volume is not divided so.
	below string
	paths loader.Paths
}

func (at *place) String() string { return entry.File{Volume: at.volume, Name: "/" + at.dir}.String() }

// directories are where entries are stored: on a volume that is /boot or the
// ESP, and on one that contains /boot.
var directories = []string{"loader/entries", "boot/loader/entries"}

// usual returns where a volume may have entries. In btrfs a subvolume may be the
// root file system, or /boot.
func usual(v *entry.Volume) []*place {
	const most = 100 // subvolumes
	var all []*place
	for _, dir := range directories {
		all = append(all, &place{volume: v, dir: dir})
	}
	names := v.List("/")
	for _, name := range names[:min(len(names), most)] {
		for _, dir := range directories {
			if name != "boot" {
				all = append(all, &place{volume: v, dir: path.Join(name, dir), below: name})
			}
		}
	}
	return all
}

// find returns the first place that has entries, and the names of their files.
func find(v *entry.Volume, places []*place, is reader) (*place, []string) {
	for _, at := range places {
		names := slices.DeleteFunc(v.List(at.dir), func(name string) bool { return !is.sees(name) })
		if len(names) > 0 {
			return at, names
		}
	}
	return nil, nil
}

func nothing(v *entry.Volume, dir string) error {
	return fmt.Errorf("%w: %s: no %s/*.conf: %w", entry.ErrConfig, v.Device, dir, fs.ErrNotExist)
}

// locate finds a file of an entry. Names are relative to the root of the
// entry's file system. If /boot is a file system of its own, or used to be one,
// names may begin with /boot or lack it. A subvolume may be in front of them or
// not.
func (at *place) locate(name string) (entry.File, error) {
	name = path.Join("/", name)
	other := "/boot" + name
	if in, ok := strings.CutPrefix(name, "/boot/"); ok {
		other = "/" + in
	}
	names := []string{name, other}
	if at.below != "" {
		names = append([]string{path.Join("/", at.below, name), path.Join("/", at.below, other)}, names...)
	}
	for _, name := range names {
		if _, err := at.paths.Path(at.volume, name); err == nil {
			return entry.File{Volume: at.volume, Name: name}, nil
		}
	}
	_, err := at.paths.Path(at.volume, name)
	return entry.File{Volume: at.volume, Name: name}, err
}
