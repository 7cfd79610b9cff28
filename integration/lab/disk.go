// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/imaboot/imaboot/integration/script"
)

// RootDisk writes the image of a root file system whose init is the guest
// program with a stage's script. The file system is ext2, which the kernel's
// ext2 and ext4 drivers can both mount. RootDisk does not use the stage's
// kernel.
func (l *Lab) RootDisk(ctx context.Context, path, goarch string, s Stage) (err error) {
	programs, err := l.guestBinaries(ctx, goarch)
	if err != nil {
		return err
	}
	text, err := json.Marshal(s.Stage)
	if err != nil {
		return err
	}
	root, err := os.MkdirTemp(filepath.Dir(path), "root-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	// MkdirTemp's mode is too strict for a root directory.
	if err := os.Chmod(root, 0o755); err != nil {
		return err
	}
	// File systems are mounted on these before init runs.
	for _, d := range []string{"dev", "proc", "run", "sys", "tmp"} {
		if err := os.Mkdir(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{"/sbin/init": programs["guest"], "/bin/imaboot": programs["imaboot"]}
	maps.Copy(files, s.Files)
	contents := map[string][]byte{
		script.Path: text,
		// systemd does not switch to a root without this file.
		"/etc/os-release": []byte("ID=guest\n"),
	}
	for name, source := range files {
		if contents[name], err = os.ReadFile(source); err != nil {
			return err
		}
	}
	size := 0
	for name, b := range contents {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, name), b, 0o755); err != nil {
			return err
		}
		size += len(b)
	}
	// Leave room for what the guest writes.
	_, err = run(ctx, "", "mke2fs", "-q", "-F", "-t", "ext2", "-d", root, path, fmt.Sprintf("%dM", size>>20+32))
	return err
}
