// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/entry"
)

// Dir is where file systems are mounted.
const Dir = "/run/imaboot/disk"

// A way is a type to mount as, and its options.
type way struct{ fstype, data string }

// ways are how a file system is mounted without replaying its journal, which
// would write to the disk. The driver of ext4 mounts ext2 and ext3 as well;
// where there is none, they have drivers of their own.
var ways = map[string][]way{
	"ext4":  {{"ext4", "noload"}, {"ext3", "noload"}, {"ext2", ""}},
	"xfs":   {{"xfs", "norecovery"}},
	"btrfs": {{"btrfs", "rescue=nologreplay"}, {"btrfs", "nologreplay"}},
	"f2fs":  {{"f2fs", "norecovery"}},
}

// ErrMount means that a device's file system cannot be read.
var ErrMount = errors.New("cannot be mounted")

// Open mounts the file system of a device, read-only, and opens it.
func Open(d Device, modules *Modules) (*entry.Volume, error) {
	f, err := os.Open(filepath.Join("/dev", d.Name))
	if err != nil {
		return nil, err
	}
	v, err := open(d, f, modules)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	v.Blocks = f
	return v, nil
}

func open(d Device, f *os.File, modules *Modules) (*entry.Volume, error) {
	s, err := Probe(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	if why, ok := noFilesystem[s.Type]; ok {
		return nil, fmt.Errorf("%s: %w: %s", d.Name, ErrMount, why)
	}
	dir := filepath.Join(Dir, d.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := mount(f.Name(), dir, s.Type, modules); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %s %w: %w", d.Name, s.Type, ErrMount, err), os.Remove(dir))
	}
	v, err := entry.OpenVolume(dir, d.Name)
	if err != nil {
		return nil, errors.Join(err, unix.Unmount(dir, 0), os.Remove(dir))
	}
	v.UUID, v.Label, v.PartUUID, v.PartLabel = s.UUID, s.Label, d.PartUUID, d.PartLabel
	return v, nil
}

// Close unmounts a volume that Open returned.
func Close(v *entry.Volume) error {
	return errors.Join(v.Close(), unix.Unmount(v.Dir(), unix.MNT_DETACH), os.Remove(v.Dir()))
}

func mount(name, dir, fstype string, modules *Modules) error {
	all := ways[fstype]
	if all == nil {
		all = []way{{fstype, ""}}
	}
	var errs []error
	for _, w := range all {
		modules.Filesystem(w.fstype)
		err := unix.Mount(name, dir, w.fstype, unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_NOATIME, w.data)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("as %s: %w", w.fstype, err))
	}
	return errors.Join(errs...)
}
