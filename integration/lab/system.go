// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/integration/script"
)

// A system is an installation of Debian on a disk.
type system struct {
	kernel   string   // the stock kernel; its suite is the system's
	packages []string // besides systemPackages
	// prep adds a partition for the firmware's loader to the disk.
	prep     bool
	diskID   uint32
	rootUUID string
	// verify holds flags of imaboot verify.
	verify []string
	// texts are files in addition to systemTexts, and commands run after
	// systemCommands.
	texts    map[string]string
	commands string
}

// systems are the systems by GOARCH. Values that are random on a real system
// are constant here, so that tests always see the same.
var systems = map[string]*system{
	"ppc64le": {
		kernel: Debian61, packages: []string{"grub-ieee1275-bin", "grub2-common"},
		prep: true, diskID: 0x5a1f3c07, rootUUID: "3e6b1f52-8d0c-4a57-9c1e-0f7a4be2d915",
		commands: grubCommands,
	},
	"s390x": {
		kernel: Debian61S390X, packages: []string{"s390-tools"},
		diskID: 0x77c2e0b4, rootUUID: "b0c4d7e9-52f3-4e1d-8a66-c93d1e08f7a2", verify: []string{"--tpm=off"},
		texts: ziplTexts, commands: ziplCommands,
	},
}

// systemPackages are installed with their dependencies. They include packages
// that every Debian has, because apt is told that nothing is installed.
var systemPackages = []string{
	"base-files", "base-passwd", "bash", "coreutils", "dash", "diffutils", "dpkg", "e2fsprogs", "findutils", "grep",
	"gzip", "hostname", "libc-bin", "login", "mount", "passwd", "sed", "util-linux",
	"busybox", "initramfs-tools", "kmod", "systemd", "systemd-sysv", "udev", "zstd",
}

// DebianDisk returns the path of a raw disk image with Debian 12, made by the
// programs that a Debian of that architecture (a GOARCH) would run. It has an
// MSDOS partition table; /boot is in the root file system, on the last
// partition. On ppc64le it contains GRUB's configuration; on s390x it contains
// zipl's, and an entry of the Boot Loader Specification.
//
// When the system has reached multi-user.target, it reports as the stage
// SystemStage and powers off. Several guests use the image, so QEMU must be
// told to write elsewhere (snapshot=on).
func (l *Lab) DebianDisk(ctx context.Context, arch string) (string, error) {
	s, ok := systems[arch]
	if !ok {
		return "", fmt.Errorf("the lab has no disk of architecture %q", arch)
	}
	root, err := l.systemRoot(ctx, arch, s)
	if err != nil {
		return "", err
	}
	programs, err := l.guestBinaries(ctx, arch)
	if err != nil {
		return "", err
	}
	files, err := s.reporter(programs)
	if err != nil {
		return "", err
	}
	key, err := keyOf(root, files)
	if err != nil {
		return "", err
	}
	dir, err := l.make(filepath.Join("systems", arch, "disk-"+key), func(dir string) error {
		// The disks are large, and every change of a program makes a
		// new one. A guest that runs from a removed disk keeps it until
		// the guest ends.
		old, err := filepath.Glob(filepath.Join(l.Dir, "systems", arch, "disk-*"))
		if err != nil {
			return err
		}
		for _, path := range old {
			if strings.HasSuffix(path, ".lock") {
				continue
			}
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
		tree := filepath.Join(dir, "root")
		if _, err := run(ctx, "", "cp", "-al", root, tree); err != nil {
			return err
		}
		for name, f := range files {
			if err := os.WriteFile(filepath.Join(tree, name), f.Content, f.Mode); err != nil {
				return err
			}
		}
		if err := s.writeDisk(ctx, tree, filepath.Join(dir, "disk")); err != nil {
			return err
		}
		return os.RemoveAll(tree)
	})
	return filepath.Join(dir, "disk"), err
}

// SystemStage is the name of the stage as which DebianDisk's systems report.
const SystemStage = "debian"

// A systemFile is a file of a system. Its fields are part of the disk's key.
type systemFile struct {
	Content []byte
	Mode    os.FileMode
}

// reporter returns the files that make a system report, by path.
func (s *system) reporter(programs map[string]string) (map[string]systemFile, error) {
	const imaboot, list = "/usr/sbin/imaboot", "/run/joined"
	stage := script.Stage{Name: SystemStage, Steps: []script.Step{
		{Run: []string{"/usr/bin/systemctl", "is-active", "multi-user.target"}},
		{Run: append([]string{imaboot, "verify"}, s.verify...)},
		{Run: []string{imaboot, "list", "--output", list}},
		{List: true, From: list},
	}}
	text, err := json.Marshal(stage)
	if err != nil {
		return nil, err
	}
	files := map[string]systemFile{script.Path: {text, 0o644}}
	for path, name := range map[string]string{imaboot: "imaboot", reporterPath: "guest"} {
		b, err := os.ReadFile(programs[name])
		if err != nil {
			return nil, err
		}
		files[path] = systemFile{b, 0o755}
	}
	return files, nil
}

// keyOf returns a name for something in the cache, derived from what it is made
// from.
func keyOf(parts ...any) (string, error) {
	b, err := json.Marshal(parts)
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(b)
	return hex.EncodeToString(key[:8]), nil
}

// systemRoot returns the path of a system's tree, without the files of
// reporter.
func (l *Lab) systemRoot(ctx context.Context, arch string, s *system) (string, error) {
	kernel, err := l.Kernel(ctx, s.kernel)
	if err != nil {
		return "", err
	}
	w := stock[s.kernel].world
	a, err := l.world(ctx, w)
	if err != nil {
		return "", err
	}
	packages, err := a.resolve(ctx, append(slices.Clone(systemPackages), s.packages...)...)
	if err != nil {
		return "", err
	}
	source, err := sourceDir(ctx)
	if err != nil {
		return "", err
	}
	hook, err := os.ReadFile(filepath.Join(source, "templates", "initramfs", initramfsHooks[0].file))
	if err != nil {
		return "", err
	}
	_, release, _ := strings.Cut(filepath.Base(kernel), "-")
	texts, commands := s.configuration(arch, release)
	key, err := keyOf(kernel, packages, hook, texts, commands)
	if err != nil {
		return "", err
	}
	dir, err := l.make(filepath.Join("systems", arch, key), func(dir string) error {
		root := filepath.Join(dir, "root")
		l.say("system: %d packages of %s for %s", len(packages), w.suite, w.arch)
		scripts := map[string]string{initramfsHooks[0].path: string(hook)}
		if err := a.tree(ctx, root, filepath.Dir(filepath.Dir(kernel)), packages, scripts); err != nil {
			return err
		}
		for name, text := range texts {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				return err
			}
		}
		l.say("system: configuring")
		if err := emulate(ctx, arch, root, func() error { return chroot(ctx, root, commands) }); err != nil {
			return fmt.Errorf("system for %s: %w", w.arch, err)
		}
		l.say("system: done")
		return nil
	})
	return filepath.Join(dir, "root"), err
}

// DebianFiles returns the kernel and the initramfs of DebianDisk's system, and
// a command line that finds its root file system. A server can offer them.
func (l *Lab) DebianFiles(ctx context.Context, arch string) (kernel, initrd, cmdline string, err error) {
	s, ok := systems[arch]
	if !ok {
		return "", "", "", fmt.Errorf("the lab has no disk of architecture %q", arch)
	}
	root, err := l.systemRoot(ctx, arch, s)
	if err != nil {
		return "", "", "", err
	}
	if kernel, err = one(root, "boot/vmlinu[xz]-*"); err != nil {
		return "", "", "", err
	}
	initrd, err = one(root, "boot/initrd.img-*")
	return kernel, initrd, Cmdline(arch) + " root=UUID=" + s.rootUUID + " rootfstype=ext4", err
}
