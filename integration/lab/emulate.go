// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// What the kernel is told to run with the emulator: ELF files of 64 bits and
// big-endian order, executable or shared, for machine 22.
const (
	binfmtDir   = "/proc/sys/fs/binfmt_misc"
	binfmtName  = "imaboot-s390x"
	binfmtMagic = `\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16`
	binfmtMask  = `\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff`
)

// emulate calls f while the machine can run programs of s390x in the tree
// root, and leaves the machine as it was.
func emulate(ctx context.Context, root string, f func() error) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("programs of s390x in a tree of their own: run as root")
	}
	emulator, err := exec.LookPath("qemu-s390x-static")
	if err != nil {
		if emulator, err = exec.LookPath("qemu-s390x"); err != nil {
			return err
		}
	}
	// One for the machine: another lab must not find the entry of this one,
	// and then lose it.
	lock, err := os.Open(emulator)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", emulator, err)
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
	// With F the kernel opens the emulator now, and not in the tree.
	entry := fmt.Sprintf(":%s:M::%s:%s:%s:F", binfmtName, binfmtMagic, binfmtMask, emulator)
	if err := os.WriteFile(register, []byte(entry), 0); err != nil {
		return fmt.Errorf("register %s for programs of s390x: %w", emulator, err)
	}
	defer func() {
		err = errors.Join(err, os.WriteFile(filepath.Join(binfmtDir, binfmtName), []byte("-1"), 0))
	}()
	if err := works(); err != nil {
		return fmt.Errorf("%s does not run programs of s390x: %w", emulator, err)
	}
	return f()
}
