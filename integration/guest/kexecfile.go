// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/integration/script"
)

// kexecFile returns only if it fails.
func kexecFile(k *script.KexecFile) error {
	kernel, err := os.Open(k.Kernel)
	if err != nil {
		return err
	}
	defer kernel.Close()
	initrd, err := os.Open(k.Initrd)
	if err != nil {
		return err
	}
	defer initrd.Close()
	if err := unix.KexecFileLoad(int(kernel.Fd()), int(initrd.Fd()), k.Cmdline, 0); err != nil {
		return fmt.Errorf("kexec_file_load: %w", err)
	}
	return unix.Reboot(unix.LINUX_REBOOT_CMD_KEXEC)
}
