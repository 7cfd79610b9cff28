// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package entry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/imaboot/imaboot/pkg/refusal"
)

const (
	// MaxConfig bounds the size of a configuration file, in bytes. Those of
	// distributions have some tens of kilobytes.
	MaxConfig = 1 << 20
)

// ErrConfig is wrapped by all errors about the files of a boot loader.
var ErrConfig = refusal.New(refusal.BadEntry, "unusable loader configuration")

// A Volume is a mounted file system, or a directory that stands for one.
type Volume struct {
	// Device is the name of the block device in /sys/class/block.
	Device string
	// UUID and Label are those of the file system, PartUUID and PartLabel
	// those of the partition. Each is empty if there is none.
	UUID, Label, PartUUID, PartLabel string
	// Blocks is the device itself, or nil for a directory. Close closes it.
	Blocks *os.File

	dir  string
	root *os.Root
	// until holds the context that ends what is looked up.
	until atomic.Pointer[context.Context]
	// walked counts the parts of all paths that were followed on the
	// volume.
	walked atomic.Int64
}

// OpenVolume opens the file system that is mounted on dir. The caller must
// close it.
func OpenVolume(dir, device string) (*Volume, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Volume{Device: device, dir: dir, root: root}, nil
}

// Close closes the volume. It does not unmount it.
func (v *Volume) Close() error {
	err := v.root.Close()
	if v.Blocks != nil {
		err = errors.Join(err, v.Blocks.Close())
	}
	return err
}

// Until makes all that is looked up on the volume fail when ctx ends, until it is
// called again. Parsers of configurations are given volumes and no context: what
// they read may be as slow as a disk, and as much as an attacker makes of it.
func (v *Volume) Until(ctx context.Context) { v.until.Store(&ctx) }

// Err returns why nothing can be looked up any more, or nil.
func (v *Volume) Err() error {
	ctx := v.until.Load()
	if ctx == nil || (*ctx).Err() == nil {
		return nil
	}
	return context.Cause(*ctx)
}

// Dir returns the directory that the volume is mounted on.
func (v *Volume) Dir() string { return v.dir }

func (v *Volume) wrap(name string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("%w: %s:%s: %w", ErrConfig, v.Device, Printable(name), err)
}

// Path returns a path that the regular file name can be opened with. The error
// wraps ErrConfig, and fs.ErrNotExist if there is no such file.
func (v *Volume) Path(name string) (string, error) {
	w, err := v.walk(name)
	if err != nil {
		return "", err
	}
	defer w.close()
	if !w.info.Mode().IsRegular() {
		return "", fmt.Errorf("%w: %s:%s is no regular file", ErrConfig, v.Device, Printable(name))
	}
	return filepath.Join(v.dir, w.path()), nil
}

// Exists reports whether the volume has a regular file of that name.
func (v *Volume) Exists(name string) bool {
	_, err := v.Path(name)
	return err == nil
}

// ReadConfig reads a regular file of at most MaxConfig bytes. Its errors wrap
// ErrConfig.
func (v *Volume) ReadConfig(name string) ([]byte, error) {
	w, err := v.walk(name)
	if err != nil {
		return nil, err
	}
	defer w.close()
	switch {
	case !w.info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s:%s is no regular file", ErrConfig, v.Device, Printable(name))
	case w.info.Size() > MaxConfig:
		return nil, v.tooLong(name)
	}
	f, err := w.open()
	if err != nil {
		return nil, v.wrap(name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxConfig+1))
	if err != nil {
		return nil, v.wrap(name, err)
	}
	if len(b) > MaxConfig {
		return nil, v.tooLong(name) // it grew meanwhile
	}
	return b, nil
}

func (v *Volume) tooLong(name string) error {
	return fmt.Errorf("%w: %s:%s has more than %d bytes", ErrConfig, v.Device, Printable(name), MaxConfig)
}

// List returns the sorted names in a directory, or nil if it cannot be read.
func (v *Volume) List(dir string) []string {
	w, err := v.walk(dir)
	if err != nil {
		return nil
	}
	defer w.close()
	if !w.info.IsDir() {
		return nil // opening a pipe would wait
	}
	f, err := w.open()
	if err != nil {
		return nil
	}
	defer f.Close()
	const most = 10000
	names, err := f.Readdirnames(most)
	if err != nil {
		return nil
	}
	slices.Sort(names)
	return names
}

// Volumes are all volumes that were found.
type Volumes []*Volume

// Find returns the first volume for which is returns true, or nil.
func (all Volumes) Find(is func(*Volume) bool) *Volume {
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return nil
	}
	return all[i]
}
