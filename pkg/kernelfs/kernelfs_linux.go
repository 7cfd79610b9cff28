// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package kernelfs mounts the file systems in which the kernel shows itself, so
// that a program works alone in any initramfs.
package kernelfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// errNotRoot means that the program must not mount.
var errNotRoot = refusal.New(refusal.NotPrivileged, "not privileged")

// mounts are the file systems that imaboot reads. A path that exists shows that
// one is mounted.
var mounts = []struct {
	fstype, dir, shows string
	flags              uintptr
}{
	{"proc", "/proc", "/proc/self", unix.MS_NODEV},
	{"sysfs", "/sys", "/sys/kernel", unix.MS_NODEV},
	{"securityfs", "/sys/kernel/security", "/sys/kernel/security/integrity", unix.MS_NODEV},
	{"devtmpfs", "/dev", "/dev/null", 0},
}

// MountAll mounts proc, sysfs, securityfs and devtmpfs where they are missing. A
// securityfs or devtmpfs that cannot be mounted is no error here: who needs it
// says what is missing.
func MountAll() error {
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
