// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// binfmtDir is where the kernel learns which programs need an emulator.
const binfmtDir = "/proc/sys/fs/binfmt_misc"

// binfmts are the patterns of such programs by GOARCH: 64-bit ELF files,
// executable or shared, with the architecture's byte order and machine number.
var binfmts = map[string]struct{ magic, mask string }{
	"ppc64le": {
		`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x15\x00`,
		`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`,
	},
	"s390x": {
		`\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16`,
		`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff`,
	},
}

// emulate lets the machine run programs of an architecture in the tree root while
// f runs, and then restores the machine's settings.
func emulate(ctx context.Context, goarch, root string, f func() error) (err error) {
	if os.Geteuid() != 0 {
		return fmt.Errorf("programs of %s in a tree of their own: run as root", goarch)
	}
	b, ok := binfmts[goarch]
	if !ok {
		return fmt.Errorf("no emulation of %q", goarch)
	}
	emulator, err := Emulator(goarch)
	if err != nil {
		return err
	}
	// The entry and the mount are the whole machine's: another lab must not
	// use them and then lose them.
	lock, err := os.Open(filepath.Dir(binfmtDir))
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	works := func() error {
		_, err := run(ctx, "/", "chroot", root, "/usr/bin/true")
		return err
	}
	if works() == nil {
		return f()
	}
	register := filepath.Join(binfmtDir, "register")
	if _, err := os.Stat(register); err != nil {
		if err := unix.Mount("binfmt_misc", binfmtDir, "binfmt_misc", 0, ""); err != nil {
			return fmt.Errorf("mount binfmt_misc on %s: %w", binfmtDir, err)
		}
		defer func() { err = errors.Join(err, unix.Unmount(binfmtDir, 0)) }()
	}
	// F makes the kernel open the emulator now, outside the tree.
	name := "imaboot-" + goarch
	entry := fmt.Sprintf(":%s:M::%s:%s:%s:F", name, b.magic, b.mask, emulator)
	if err := os.WriteFile(register, []byte(entry), 0); err != nil {
		return fmt.Errorf("register %s for programs of %s: %w", emulator, goarch, err)
	}
	defer func() {
		err = errors.Join(err, os.WriteFile(filepath.Join(binfmtDir, name), []byte("-1"), 0))
	}()
	if err := works(); err != nil {
		return fmt.Errorf("%s does not run programs of %s: %w", emulator, goarch, err)
	}
	return f()
}

// inRoot runs a command in the tree $1 with the file systems that it expects. They
// disappear when the command ends.
const inRoot = `set -e
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount --bind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/run"
root=$1
shift
exec chroot "$root" sh -ec "$@"`

// chroot runs a shell command in a tree, with arguments $1, $2 and so on. Programs
// of another architecture need emulate.
func chroot(ctx context.Context, root, command string, args ...string) error {
	_, err := run(ctx, "/", "env", append([]string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		"unshare", "--mount", "sh", "-c", inRoot, "sh", root, command, "sh",
	}, args...)...)
	return err
}
