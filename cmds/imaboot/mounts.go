// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/refusal"
)

var errNotRoot = refusal.New(refusal.NotPrivileged, "not privileged")

// mounts are what imaboot reads, and a file that shows that it is there.
var mounts = []struct {
	fstype, dir, shows string
	flags              uintptr
}{
	{"proc", "/proc", "/proc/self", unix.MS_NODEV},
	{"sysfs", "/sys", "/sys/kernel", unix.MS_NODEV},
	{"securityfs", "/sys/kernel/security", "/sys/kernel/security/integrity", unix.MS_NODEV},
	{"devtmpfs", "/dev", "/dev/null", 0},
}

// mountAll mounts what is missing, so that the program works alone in any
// initramfs. A securityfs that cannot be mounted is the list reader's to
// explain, and a device that is not there is its user's.
func mountAll() error {
	for _, m := range mounts {
		if _, err := os.Stat(m.shows); err == nil {
			continue
		}
		if m.fstype == "proc" || m.fstype == "sysfs" {
			if err := os.MkdirAll(m.dir, 0o555); err != nil && !errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("mount %s: %w", m.fstype, err)
			}
		}
		err := unix.Mount(m.fstype, m.dir, m.fstype, m.flags|unix.MS_NOSUID|unix.MS_NOEXEC, "")
		switch {
		case err == nil, errors.Is(err, unix.EBUSY), m.fstype == "securityfs", m.fstype == "devtmpfs":
		case errors.Is(err, unix.EPERM):
			return fmt.Errorf("%w: mount %s on %s: run as root", errNotRoot, m.fstype, m.dir)
		default:
			return fmt.Errorf("mount %s on %s: %w", m.fstype, m.dir, err)
		}
	}
	return nil
}
