// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Kinds of initramfs that distributions make. All contain the hook of
// templates/initramfs.
const (
	InitramfsTools = "initramfs-tools"
	// Klibc is made by initramfs-tools on a system without busybox.
	Klibc  = "klibc"
	Dracut = "dracut"
	// DracutNoSystemd uses dracut's own init.
	DracutNoSystemd = "dracut-no-systemd"
)

// The kernel that the initramfs are made for, its suite, and its architecture
// as a GOARCH.
const (
	initramfsKernel = Debian61S390X
	initramfsArch   = "s390x"
)

// initramfsPackages are installed with their dependencies. They include
// packages that every Debian has, because apt is told that nothing is
// installed.
var initramfsPackages = []string{
	"bash", "coreutils", "dash", "diffutils", "dpkg", "findutils", "grep", "gzip", "libc-bin", "sed", "util-linux",
	"initramfs-tools", "busybox", "kmod", "udev", "zstd",
	"dracut-core", "login", "systemd",
}

// initramfsDrivers are the drivers for the root file system. Debian's default
// is to include all drivers, which takes minutes under emulation.
const initramfsDrivers = "virtio_blk ext4"

// dracut omits modules that the guest does not need; dracut itself chooses the
// rest. Good compression would take longer under emulation than everything
// else.
const dracut = `dracut --no-hostonly --compress "zstd -1" --force-drivers "` + initramfsDrivers + `" --kver "$2" ` +
	`--omit "kernel-modules kernel-modules-extra cio_ignore crypt dasd_mod dasd_rules dcssblk dm lunmask nvdimm overlay-root qemu resume shutdown terminfo usrmount virtiofs `

// initramfsMakers are commands that make the initramfs $1 for the kernel $2.
// They run in parallel.
var initramfsMakers = []struct{ kind, command string }{
	{InitramfsTools, `mkinitramfs -o "$1" "$2"`},
	{Klibc, `cp -r /etc/initramfs-tools /etc/klibc; echo BUSYBOX=n >/etc/klibc/conf.d/busybox; mkinitramfs -d /etc/klibc -o "$1" "$2"`},
	{Dracut, dracut + `" "$1"`},
	{DracutNoSystemd, dracut + `systemd dracut-systemd systemd-initrd" "$1"`},
}

// initramfsHooks are the files of templates/initramfs, and where
// templates/initramfs/README.md tells people to put them.
var initramfsHooks = []struct{ file, path string }{
	{"imaboot.sh", "etc/initramfs-tools/scripts/init-top/imaboot"},
	{"imaboot.sh", "usr/lib/dracut/modules.d/90imaboot/imaboot.sh"},
	{"module-setup.sh", "usr/lib/dracut/modules.d/90imaboot/module-setup.sh"},
}

// initramfsTexts are files that the packages' scripts, which do not run, or the
// administrator would make.
var initramfsTexts = map[string]string{
	"etc/passwd":                     "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
	"etc/group":                      "root:x:0:\n",
	"etc/initramfs-tools/modules":    strings.ReplaceAll(initramfsDrivers, " ", "\n") + "\n",
	"etc/initramfs-tools/conf.d/lab": "MODULES=list\nCOMPRESSLEVEL=1\n",
}

// DebianInitramfs returns the path of an initramfs for the stock kernel of
// Debian 12 for s390x. It makes all kinds at once, with the programs that a
// Debian of that architecture would run.
func (l *Lab) DebianInitramfs(ctx context.Context, kind string) (string, error) {
	kernel, err := l.Kernel(ctx, initramfsKernel)
	if err != nil {
		return "", err
	}
	w := stock[initramfsKernel].world
	a, err := l.world(ctx, w)
	if err != nil {
		return "", err
	}
	packages, err := a.resolve(ctx, initramfsPackages...)
	if err != nil {
		return "", err
	}
	files := maps.Clone(initramfsTexts)
	source, err := sourceDir(ctx)
	if err != nil {
		return "", err
	}
	for _, h := range initramfsHooks {
		b, err := os.ReadFile(filepath.Join(source, "templates", "initramfs", h.file))
		if err != nil {
			return "", err
		}
		files[h.path] = string(b)
	}
	parts, err := json.Marshal([]any{kernel, packages, files, fmt.Sprint(initramfsMakers)})
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(parts)
	dir, err := l.make(filepath.Join("initramfs", hex.EncodeToString(key[:8])), func(dir string) error {
		root := filepath.Join(dir, "root")
		l.say("initramfs: %d packages of %s for %s", len(packages), w.suite, w.arch)
		if err := a.tree(ctx, root, filepath.Dir(filepath.Dir(kernel)), packages, files); err != nil {
			return err
		}
		release := strings.TrimPrefix(filepath.Base(kernel), "vmlinuz-")
		if err := emulate(ctx, initramfsArch, root, func() error { return l.initramfs(ctx, root, release, dir) }); err != nil {
			return err
		}
		return os.RemoveAll(root)
	})
	if err != nil {
		return "", err
	}
	return one(dir, kind)
}

// resolve returns packages and their dependencies, each as NAME=VERSION.
func (a *apt) resolve(ctx context.Context, names ...string) ([]string, error) {
	out, err := run(ctx, a.dir, "apt-get", append(append(a.opts, "install", "--simulate", "--no-install-recommends"), names...)...)
	if err != nil {
		return nil, err
	}
	var packages []string
	for line := range strings.Lines(out) {
		// The line is "Inst NAME (VERSION SUITE [ARCH])".
		if f := strings.Fields(line); len(f) > 2 && f[0] == "Inst" {
			packages = append(packages, f[1]+"="+strings.TrimPrefix(f[2], "("))
		}
	}
	slices.Sort(packages)
	return packages, nil
}

// tree unpacks packages and the modules of a kernel. It runs none of the
// packages' scripts: files holds what the scripts would have made and is
// needed.
func (a *apt) tree(ctx context.Context, root, kernel string, packages []string, files map[string]string) error {
	for _, d := range []string{"bin", "lib", "lib64", "sbin"} {
		if err := os.MkdirAll(filepath.Join(root, "usr", d), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join("usr", d), filepath.Join(root, d)); err != nil {
			return err
		}
	}
	if err := a.unpack(ctx, root, packages...); err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			return err
		}
	}
	// There are many modules, and they are only read.
	_, err := run(ctx, root, "cp", "-al", filepath.Join(kernel, "lib", "modules"), "usr/lib/")
	if err != nil {
		return err
	}
	_, err = run(ctx, root, "cp", "-aT", filepath.Join(kernel, "boot"), "boot")
	return err
}

func (l *Lab) initramfs(ctx context.Context, root, release, dir string) error {
	if err := chroot(ctx, root, `depmod "$1"`, release); err != nil {
		return err
	}
	errs := make([]error, len(initramfsMakers))
	var wg sync.WaitGroup
	for i, m := range initramfsMakers {
		wg.Go(func() {
			if err := chroot(ctx, root, m.command, "/image-"+m.kind, release); err != nil {
				errs[i] = fmt.Errorf("initramfs by %s: %w", m.kind, err)
				return
			}
			l.say("initramfs: %s done", m.kind)
			errs[i] = os.Rename(filepath.Join(root, "image-"+m.kind), filepath.Join(dir, m.kind))
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
