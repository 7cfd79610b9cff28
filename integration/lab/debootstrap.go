// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"errors"
	"os"
)

// debootstrapTools make fresh machines.
var debootstrapTools = []tool{
	{programs: []string{"debootstrap"}, packages: []string{"debootstrap"}},
	{programs: []string{"git"}, packages: []string{"git"}},
}

// Debootstrap makes the smallest Debian of a release that has apt, in the
// directory root.
func (l *Lab) Debootstrap(ctx context.Context, release, root string) error {
	if os.Geteuid() != 0 {
		return errors.New("a fresh machine: run as root")
	}
	packages, err := l.packagesFor(ctx, debootstrapTools)
	if err != nil {
		return err
	}
	if err := l.install(ctx, packages); err != nil {
		return err
	}
	uri, err := mirror()
	if err != nil {
		return err
	}
	l.say("fresh machine: Debian %s", release)
	// Its directory would keep apt's own user out.
	if err := os.Chmod(root, 0o755); err != nil {
		return err
	}
	_, err = run(ctx, "", "debootstrap", "--variant=minbase", release, root, uri)
	return err
}
