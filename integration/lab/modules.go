// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// moduleLists are the files that depmod writes and imaboot reads.
var moduleLists = []string{"modules.dep", "modules.alias", "modules.builtin"}

// Modules returns files for an initramfs (path there to path here): modules of
// a stock kernel with all their dependencies, and the lists to find them.
func (l *Lab) Modules(ctx context.Context, kernel string, names ...string) (map[string]string, error) {
	path, err := l.Kernel(ctx, kernel)
	if err != nil {
		return nil, err
	}
	tree := filepath.Join(filepath.Dir(filepath.Dir(path)), "lib", "modules")
	release, err := one(tree, "*")
	if err != nil {
		return nil, err
	}
	release = filepath.Base(release)
	// depmod writes beside the modules, but the cached ones must not
	// change.
	dir, err := l.make(filepath.Join("modules", release), func(dir string) error {
		if err := os.MkdirAll(filepath.Join(dir, "lib", "modules"), 0o755); err != nil {
			return err
		}
		if _, err := run(ctx, dir, "cp", "-al", filepath.Join(tree, release), "lib/modules/"); err != nil {
			return err
		}
		_, err := run(ctx, dir, "depmod", "-b", dir, release)
		return err
	})
	if err != nil {
		return nil, err
	}
	modules := filepath.Join("lib", "modules", release)
	files := map[string]string{}
	for _, name := range moduleLists {
		files["/"+filepath.Join(modules, name)] = filepath.Join(dir, modules, name)
	}
	dep, err := os.ReadFile(filepath.Join(dir, modules, "modules.dep"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(dep)) {
		// The line is "PATH: PATHS".
		module, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		name := strings.TrimSuffix(filepath.Base(module), ".ko")
		i := slices.Index(names, name)
		if i < 0 {
			continue
		}
		names = slices.Delete(slices.Clone(names), i, i+1)
		for _, m := range append([]string{module}, strings.Fields(rest)...) {
			files["/"+filepath.Join(modules, m)] = filepath.Join(dir, modules, m)
		}
	}
	if len(names) > 0 {
		return nil, fmt.Errorf("%s has no modules %v", kernel, names)
	}
	return files, nil
}

// Initramfs writes the initramfs of a stage that a test puts on a disk or a
// server. The initramfs of other stages are made with their guest.
func (l *Lab) Initramfs(ctx context.Context, dir, goarch string, s Stage) (string, error) {
	programs, err := l.guestBinaries(ctx, goarch)
	if err != nil {
		return "", err
	}
	return image(ctx, dir, programs, []Stage{s})
}

// Disk writes an image of an ext4 file system with files (path there to path
// here).
func (l *Lab) Disk(ctx context.Context, path string, files map[string]string, options ...string) error {
	root, err := os.MkdirTemp(filepath.Dir(path), "disk-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	size := int64(0)
	for name, from := range files {
		to := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		b, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, b, 0o644); err != nil {
			return err
		}
		size += int64(len(b))
	}
	args := append([]string{"-q", "-F", "-t", "ext4"}, options...)
	_, err = run(ctx, "", "mke2fs", append(args, "-d", root, path, fmt.Sprintf("%dM", size>>20+32))...)
	return err
}
