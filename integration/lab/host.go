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

// A tool is something that the lab needs on this machine: a program, under any
// of the names that releases of Debian give it, or a file. Its package is the
// first one that this machine's Debian has.
type tool struct {
	programs, packages []string
	file               string
}

// guestTools run guests of any architecture.
var guestTools = []tool{
	{programs: []string{"xz"}, packages: []string{"xz-utils"}},
}

// tpmTools run guests with a TPM.
var tpmTools = []tool{
	{programs: []string{"swtpm"}, packages: []string{"swtpm"}},
	{programs: []string{"swtpm_setup"}, packages: []string{"swtpm-tools"}},
}

// kernelTools build kernels of any architecture.
var kernelTools = []tool{
	{programs: []string{"patch"}, packages: []string{"patch"}},
	{programs: []string{"make"}, packages: []string{"make"}},
	{programs: []string{"gcc"}, packages: []string{"gcc"}},
	{programs: []string{"flex"}, packages: []string{"flex"}},
	{programs: []string{"bison"}, packages: []string{"bison"}},
	{programs: []string{"bc"}, packages: []string{"bc"}},
	{programs: []string{"perl"}, packages: []string{"perl"}},
	{programs: []string{"gzip"}, packages: []string{"gzip"}},
	{file: "/usr/include/libelf.h", packages: []string{"libelf-dev"}},
	{file: "/usr/include/openssl/ssl.h", packages: []string{"libssl-dev"}},
	{file: "/usr/include/stdio.h", packages: []string{"libc6-dev"}},
}

// archTools are what one architecture needs, by GOARCH: system runs guests,
// compiler builds kernels, and user runs programs.
var archTools = map[string]struct{ system, compiler, user tool }{
	"amd64": {
		system:   tool{programs: []string{"qemu-system-x86_64"}, packages: []string{"qemu-system-x86"}},
		compiler: tool{programs: []string{"x86_64-linux-gnu-gcc"}, packages: []string{"gcc-x86-64-linux-gnu"}},
		user:     tool{programs: []string{"qemu-x86_64-static", "qemu-x86_64"}, packages: []string{"qemu-user-static", "qemu-user"}},
	},
	"ppc64le": {
		system:   tool{programs: []string{"qemu-system-ppc64"}, packages: []string{"qemu-system-ppc"}},
		compiler: tool{programs: []string{"powerpc64le-linux-gnu-gcc"}, packages: []string{"gcc-powerpc64le-linux-gnu"}},
		user:     tool{programs: []string{"qemu-ppc64le-static", "qemu-ppc64le"}, packages: []string{"qemu-user-static", "qemu-user"}},
	},
	"s390x": {
		system:   tool{programs: []string{"qemu-system-s390x"}, packages: []string{"qemu-system-s390x", "qemu-system-misc"}},
		compiler: tool{programs: []string{"s390x-linux-gnu-gcc"}, packages: []string{"gcc-s390x-linux-gnu"}},
		user:     tool{programs: []string{"qemu-s390x-static", "qemu-s390x"}, packages: []string{"qemu-user-static", "qemu-user"}},
	},
}

// suiteTools are what the tests call besides.
var suiteTools = []tool{
	{file: ovmfCode, packages: []string{"ovmf"}},
	{programs: []string{"mke2fs"}, packages: []string{"e2fsprogs"}},
	{programs: []string{"mkfs.xfs"}, packages: []string{"xfsprogs"}},
	{programs: []string{"mkfs.btrfs"}, packages: []string{"btrfs-progs"}},
	{programs: []string{"mkfs.vfat"}, packages: []string{"dosfstools"}},
	{programs: []string{"mkfs.f2fs"}, packages: []string{"f2fs-tools"}},
	{programs: []string{"mkfs.erofs"}, packages: []string{"erofs-utils"}},
	{programs: []string{"mksquashfs"}, packages: []string{"squashfs-tools"}},
	{programs: []string{"genisoimage"}, packages: []string{"genisoimage"}},
	{programs: []string{"mkswap"}, packages: []string{"util-linux"}},
	{programs: []string{"depmod"}, packages: []string{"kmod"}},
	{programs: []string{"evmctl"}, packages: []string{"ima-evm-utils", "evmctl"}},
	{programs: []string{"ip"}, packages: []string{"iproute2"}},
	{programs: []string{"grub-emu"}, packages: []string{"grub-emu"}},
	{programs: []string{"dnsmasq"}, packages: []string{"dnsmasq-base"}},
	{programs: []string{"zstd"}, packages: []string{"zstd"}},
	{programs: []string{"lz4"}, packages: []string{"lz4"}},
	{programs: []string{"bzip2"}, packages: []string{"bzip2"}},
	{programs: []string{"lzop"}, packages: []string{"lzop"}},
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// here tells whether this machine has the tool.
func (t tool) here() bool {
	if t.file != "" {
		_, err := os.Stat(t.file)
		return err == nil
	}
	return slices.ContainsFunc(t.programs, installed)
}

// toolsFor are the tools that guests with these kernels need.
func toolsFor(kernels []string) []tool {
	tools := slices.Clone(guestTools)
	tpm, build := false, false
	for _, k := range kernels {
		arch := archOf(k)
		tools = append(tools, archTools[arch].system)
		tpm = tpm || platforms[arch].tpm != ""
		if _, ok := own[k]; ok {
			build = true
			tools = append(tools, archTools[arch].compiler)
		}
	}
	if tpm {
		tools = append(tools, tpmTools...)
	}
	if build {
		tools = append(tools, kernelTools...)
	}
	return tools
}

// allTools are those of the guests and of all tests.
func allTools(kernels []string) []tool {
	tools := append(toolsFor(kernels), suiteTools...)
	for _, arch := range Architectures() {
		tools = append(tools, archTools[arch].user)
	}
	return tools
}

// Emulator is the path of the program that runs programs of an architecture, a
// GOARCH, on this machine.
func Emulator(goarch string) (string, error) {
	programs := archTools[goarch].user.programs
	for _, p := range programs {
		if path, err := exec.LookPath(p); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("this machine has none of the programs %v", programs)
}

// packagesFor chooses the packages of the tools that this machine lacks, after
// it has updated apt's lists. It installs nothing.
func (l *Lab) packagesFor(ctx context.Context, tools []tool) ([]string, error) {
	missing := slices.DeleteFunc(slices.Clone(tools), tool.here)
	if len(missing) == 0 {
		return nil, nil
	}
	if os.Geteuid() != 0 {
		var names []string
		for _, t := range missing {
			names = append(names, strings.Join(t.packages, " or "))
		}
		return nil, fmt.Errorf("packages are missing: %s: install them, or run this as root", strings.Join(names, ", "))
	}
	l.say("updating the package lists")
	// A foreign repository may be out of reach. That matters only if a
	// package cannot be installed.
	_, updateErr := run(ctx, "", "apt-get", "update", "-q=2")
	var names []string
	for _, t := range missing {
		name, err := candidate(ctx, t.packages)
		if err != nil {
			if updateErr != nil {
				return nil, fmt.Errorf("%w\n%w", err, updateErr)
			}
			return nil, err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// candidate is the first of the packages that apt can install.
func candidate(ctx context.Context, packages []string) (string, error) {
	for _, p := range packages {
		out, err := run(ctx, "", "apt-cache", "policy", p)
		if err == nil && strings.Contains(out, "Candidate: ") && !strings.Contains(out, "Candidate: (none)") {
			return p, nil
		}
	}
	return "", fmt.Errorf("this Debian has no package %s", strings.Join(packages, " or "))
}

// install installs packages without what they only recommend.
func (l *Lab) install(ctx context.Context, packages []string) error {
	if len(packages) == 0 {
		return nil
	}
	l.say("installing %s", strings.Join(packages, " "))
	if _, err := run(ctx, "", "apt-get", append([]string{"install", "-y", "-q=2", "--no-install-recommends"}, packages...)...); err != nil {
		return err
	}
	l.say("installed")
	return nil
}
