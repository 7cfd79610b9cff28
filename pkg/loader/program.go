// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"path"
	"slices"
	"strings"
)

// programEnds are how the names of programs end that loaders start and that
// are no Linux kernels.
//
// PXELINUX takes every name in .0 for a network boot program, .bin for a boot
// sector and .img for a disk; but kernels have such names, too.
var programEnds = []string{
	"pxelinux.0", ".bs", ".bss", ".c32", ".cbt", ".com",
	".lkrn", ".krn", ".lkn", ".pxe", ".kpxe", ".kkpxe", // iPXE itself
}

// programs are names of programs that boot what they get as an initrd, and of
// loaders that Open Firmware starts.
var programs = []string{"memdisk", "wimboot", "core.elf", "grub.elf", "yaboot"}

// IsProgram reports whether a file's name is that of a program that is no Linux
// kernel. EFI programs count as such, unless the name is one of a kernel, for
// kernels are EFI programs, too.
func IsProgram(name string) bool {
	name = strings.ToLower(name)
	base := path.Base(name)
	isKernel := strings.Contains(base, "linu") || strings.Contains(base, "image") // vmlinuz.efi, bzImage.efi
	return slices.Contains(programs, base) || strings.HasSuffix(name, ".efi") && !isKernel ||
		slices.ContainsFunc(programEnds, func(end string) bool { return strings.HasSuffix(name, end) })
}
