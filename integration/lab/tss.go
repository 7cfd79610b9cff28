// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"path/filepath"
	"strings"
)

// tssPackages are IBM's TSS and what it is linked with. Debian 13 has no such
// package, so it always comes from Debian 12.
var tssPackages = []string{"tss2", "libtss0", "libssl3"}

// TSS returns the directories of programs of IBM's TSS that run on this
// machine, and of the libraries that they need in LD_LIBRARY_PATH.
func (l *Lab) TSS(ctx context.Context) (bin, lib string, err error) {
	arch, err := run(ctx, "", "dpkg", "--print-architecture")
	if err != nil {
		return "", "", err
	}
	a, err := l.world(ctx, world{strings.TrimSpace(arch), "bookworm"})
	if err != nil {
		return "", "", err
	}
	packages, err := a.exact(ctx, tssPackages...)
	if err != nil {
		return "", "", err
	}
	key, err := keyOf(packages)
	if err != nil {
		return "", "", err
	}
	dir, err := l.make(filepath.Join("tss", key), func(dir string) error {
		l.say("IBM's TSS: %s", strings.Join(packages, " "))
		return a.unpack(ctx, dir, packages...)
	})
	if err != nil {
		return "", "", err
	}
	lib, err = one(dir, "usr/lib/*-linux-gnu")
	return filepath.Join(dir, "usr", "bin"), lib, err
}

// exact returns packages as NAME=VERSION, with the versions of the suite.
func (a *apt) exact(ctx context.Context, names ...string) ([]string, error) {
	var packages []string
	for _, name := range names {
		_, version, err := a.newest(ctx, name, name)
		if err != nil {
			return nil, err
		}
		packages = append(packages, name+"="+version)
	}
	return packages, nil
}
