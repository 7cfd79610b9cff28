// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package entry

import (
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
	// MaxConfig bounds a configuration file; distributions' have some tens
	// of kilobytes.
	MaxConfig = 1 << 20
)

// ErrConfig is wrapped by what is wrong with a file of a loader's.
var ErrConfig = refusal.New(refusal.BadEntry, "loader's configuration")

// A Volume is a file system that is mounted, or a directory in its place.
type Volume struct {
	// Device is the name of the block device, as in /sys/class/block.
	Device string
	// UUID and Label are those of the file system, PartUUID and PartLabel
	// those of the partition; empty if it has none.
	UUID, Label, PartUUID, PartLabel string
	// Blocks is the device itself, nil for a directory. Close closes it.
	Blocks *os.File

	dir  string
	root *os.Root
	// walked counts the parts of all paths that were followed.
	walked atomic.Int64
}

// OpenVolume opens the file system that is mounted on dir.
func OpenVolume(dir, device string) (*Volume, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Volume{Device: device, dir: dir, root: root}, nil
}

// Close closes the volume, and leaves it mounted.
func (v *Volume) Close() error {
	err := v.root.Close()
	if v.Blocks != nil {
		err = errors.Join(err, v.Blocks.Close())
	}
	return err
}

// Dir is where it is mounted.
func (v *Volume) Dir() string { return v.dir }

func (v *Volume) wrap(name string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("%w: %s:%s: %w", ErrConfig, v.Device, Printable(name), err)
}

// Path is where a regular file can be opened; an error that wraps
// fs.ErrNotExist means that there is none.
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

// Exists reports whether there is a regular file of that name.
func (v *Volume) Exists(name string) bool {
	_, err := v.Path(name)
	return err == nil
}

// ReadConfig reads a regular file of at most MaxConfig bytes.
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
		return nil, v.tooLong(name) // it grew
	}
	return b, nil
}

func (v *Volume) tooLong(name string) error {
	return fmt.Errorf("%w: %s:%s has more than %d bytes", ErrConfig, v.Device, Printable(name), MaxConfig)
}

// List is what a directory holds, sorted; nothing if there is none.
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

// Volumes are all that were found.
type Volumes []*Volume

// Find is the first volume for which is holds, nil without one.
func (all Volumes) Find(is func(*Volume) bool) *Volume {
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return nil
	}
	return all[i]
}
