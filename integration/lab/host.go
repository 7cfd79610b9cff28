// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// tools are what the lab calls to run guests, by the names that releases of
// Debian give them, and the packages that hold them: the first that the host's
// Debian knows is taken.
var tools = []tool{
	{[]string{"qemu-system-ppc64"}, []string{"qemu-system-ppc"}},
	{[]string{"qemu-system-s390x"}, []string{"qemu-system-s390x", "qemu-system-misc"}},
	{[]string{"swtpm"}, []string{"swtpm"}},
	{[]string{"swtpm_setup"}, []string{"swtpm-tools"}},
	{[]string{"xz"}, []string{"xz-utils"}},
}

// buildTools are what it calls besides to build kernels and to test.
var buildTools = []tool{
	{[]string{"qemu-ppc64le-static", "qemu-ppc64le"}, []string{"qemu-user-static", "qemu-user"}},
	{[]string{"qemu-s390x-static", "qemu-s390x"}, []string{"qemu-user-static", "qemu-user"}},
	{[]string{"mke2fs"}, []string{"e2fsprogs"}},
	{[]string{"mkfs.xfs"}, []string{"xfsprogs"}},
	{[]string{"mkfs.btrfs"}, []string{"btrfs-progs"}},
	{[]string{"mkfs.vfat"}, []string{"dosfstools"}},
	{[]string{"mkfs.f2fs"}, []string{"f2fs-tools"}},
	{[]string{"mkfs.erofs"}, []string{"erofs-utils"}},
	{[]string{"mksquashfs"}, []string{"squashfs-tools"}},
	{[]string{"genisoimage"}, []string{"genisoimage"}},
	{[]string{"mkswap"}, []string{"util-linux"}},
	{[]string{"depmod"}, []string{"kmod"}},
	{[]string{"evmctl"}, []string{"ima-evm-utils", "evmctl"}},
	{[]string{"tssimaextend"}, []string{"tss2"}},
	{[]string{"ip"}, []string{"iproute2"}},
	{[]string{"grub-emu"}, []string{"grub-emu"}},
	{[]string{"dnsmasq"}, []string{"dnsmasq-base"}},
	{[]string{"powerpc64le-linux-gnu-gcc"}, []string{"gcc-powerpc64le-linux-gnu"}},
	{[]string{"s390x-linux-gnu-gcc"}, []string{"gcc-s390x-linux-gnu"}},
	{[]string{"patch"}, []string{"patch"}},
	{[]string{"make"}, []string{"make"}},
	{[]string{"gcc"}, []string{"gcc"}},
	{[]string{"flex"}, []string{"flex"}},
	{[]string{"bison"}, []string{"bison"}},
	{[]string{"bc"}, []string{"bc"}},
	{[]string{"perl"}, []string{"perl"}},
	{[]string{"gzip"}, []string{"gzip"}},
	{[]string{"zstd"}, []string{"zstd"}},
	{[]string{"lz4"}, []string{"lz4"}},
	{[]string{"bzip2"}, []string{"bzip2"}},
	{[]string{"lzop"}, []string{"lzop"}},
}

type tool struct{ programs, packages []string }

// headers are development packages, which have no program to look for.
var headers = map[string]string{
	"libelf-dev": "/usr/include/libelf.h",
	"libssl-dev": "/usr/include/openssl/ssl.h",
	"libc6-dev":  "/usr/include/stdio.h",
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// Host installs the packages that are missing on this machine, with build
// those for building, too.
func (l *Lab) Host(ctx context.Context, build bool) error {
	var missing [][]string
	need := func(tools []tool) {
		for _, t := range tools {
			if !slices.ContainsFunc(t.programs, installed) {
				missing = append(missing, t.packages)
			}
		}
	}
	need(tools)
	if build {
		need(buildTools)
		for name, file := range headers {
			if _, err := os.Stat(file); err != nil {
				missing = append(missing, []string{name})
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("packages are missing: %v: install them, or run as root", missing)
	}
	l.say("updating the package lists")
	// Foreign repositories of the machine may be out of reach: what counts
	// is whether the packages can be installed.
	_, updateErr := run(ctx, "", "apt-get", "update", "-q=2")
	var names []string
	for _, candidates := range missing {
		name := candidates[0]
		for _, c := range candidates {
			if out, err := run(ctx, "", "apt-cache", "policy", c); err == nil && strings.Contains(out, "Candidate: ") && !strings.Contains(out, "Candidate: (none)") {
				name = c
				break
			}
		}
		names = append(names, name)
	}
	l.say("installing %s", strings.Join(names, " "))
	if _, err := run(ctx, "", "apt-get", append([]string{"install", "-y", "-q=2", "--no-install-recommends"}, names...)...); err != nil {
		if updateErr != nil {
			return fmt.Errorf("%w\n%w", err, updateErr)
		}
		return err
	}
	l.say("installed")
	return nil
}
