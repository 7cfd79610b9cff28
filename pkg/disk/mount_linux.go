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

// mountDir is the directory, relative to the root, that holds the mount points.
const mountDir = "run/imaboot/disk"

// A way is a file system type and the options to mount it with.
type way struct{ fstype, data string }

// ways are options that keep a file system from replaying its journal, because
// that would write to the disk. The driver of ext4 also mounts ext2 and ext3. A
// kernel without it may have the drivers of those.
var ways = map[string][]way{
	"ext4":  {{"ext4", "noload"}, {"ext3", "noload"}, {"ext2", ""}},
	"xfs":   {{"xfs", "norecovery"}},
	"btrfs": {{"btrfs", "rescue=nologreplay"}, {"btrfs", "nologreplay"}},
	"f2fs":  {{"f2fs", "norecovery"}},
}

// ErrMount means that a device holds no file system that can be mounted.
var ErrMount = errors.New("cannot be mounted")

// Open mounts a device's file system read-only and opens it. The device is in
// dev under root (normally "/"), and is mounted below run/imaboot/disk. The
// error wraps ErrMount or ErrNothing if the device has no file system that can
// be mounted.
func Open(root string, d Device, modules *Modules) (*entry.Volume, error) {
	f, err := os.Open(filepath.Join(root, "dev", d.Name))
	if err != nil {
		return nil, err
	}
	v, err := open(root, d, f, modules)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	v.Blocks = f
	return v, nil
}

func open(root string, d Device, f *os.File, modules *Modules) (*entry.Volume, error) {
	s, err := Probe(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	if why, ok := noFilesystem[s.Type]; ok {
		return nil, fmt.Errorf("%s: %w: %s", d.Name, ErrMount, why)
	}
	dir := filepath.Join(root, mountDir, d.Name)
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

// Close unmounts a volume that Open returned, and closes it.
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
