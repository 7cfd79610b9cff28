// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// kexecTools are Debian's kexec-tools and the libraries that they are linked
// with.
var kexecTools = []string{"kexec-tools", "libc6", "liblzma5", "zlib1g"}

// kexecFiles are patterns for the files that a guest needs.
var kexecFiles = []string{
	"sbin/kexec", "lib64/ld64.so.2", "lib/*/libc.so.6", "lib/*/liblzma.so.5", "lib/*/libz.so.1",
}

// KexecTools returns the files of Debian 12's kexec-tools for a guest: path
// there to path here.
func (l *Lab) KexecTools(ctx context.Context) (map[string]string, error) {
	w := stock[Debian61].world
	a, err := l.world(ctx, w)
	if err != nil {
		return nil, err
	}
	dir, err := l.make(filepath.Join("kexec-tools", w.arch+"-"+w.suite), func(dir string) error {
		l.say("kexec-tools of %s for %s", w.suite, w.arch)
		return a.unpack(ctx, dir, kexecTools...)
	})
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, pattern := range kexecFiles {
		path, err := one(dir, pattern)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return nil, err
		}
		// The dynamic loader is a link whose target begins at the
		// guest's root.
		if target, err := os.Readlink(path); err == nil && filepath.IsAbs(target) {
			path = filepath.Join(dir, target)
		}
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("kexec-tools: %w", err)
		}
		files["/"+rel] = path
	}
	return files, nil
}
