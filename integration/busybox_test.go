// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/pkg/handover"
)

// TestBusybox: imaboot's source also builds as a command of a gobusybox with
// u-root's commands.
func TestBusybox(t *testing.T) {
	t.Parallel()
	initramfs := filepath.Join(t.TempDir(), "initramfs.cpio")
	if err := theLab.Template(t.Context(), "integration", "ppc64le", initramfs, nil); err != nil {
		t.Fatal(err)
	}
	runGuest(t, lab.Guest{
		CPUs: 1, Initramfs: initramfs, Until: "PCR 10: sha1 match, sha256 match, sha384 match, sha512 match",
		Stages: []lab.Stage{{Kernel: kernel(t, lab.Own4k)}},
	})
}

// TestTemplates builds the README's templates for every architecture, and
// prints their sizes, plain and compressed.
func TestTemplates(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64", s390x, ppc64le} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{"netboot", "rescue", "linuxboot"} {
				packedTemplate(t, name, arch)
			}
		})
	}
}

// TestTemplateBudget: the size that imaboot adds to u-root's core commands is
// limited.
func TestTemplateBudget(t *testing.T) {
	t.Parallel()
	const budget = 1500 << 10
	if added := packedTemplate(t, "linuxboot", ppc64le) - packedTemplate(t, "", ppc64le); added > budget {
		t.Errorf("imaboot adds %d bytes, the budget is %d", added, budget)
	}
}

// packedTemplate builds a template and returns its compressed size.
func packedTemplate(t *testing.T, name, arch string) int64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "initramfs.cpio")
	if err := theLab.Template(t.Context(), name, arch, path, nil); err != nil {
		t.Fatal(err)
	}
	plain := fileSize(t, path)
	if out, err := exec.Command("xz", "-9", "-T2", "-f", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	packed := fileSize(t, path+".xz")
	t.Logf("%-10s %-8s %9d bytes, packed %8d", name, arch, plain, packed)
	return packed
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestFirmware: the firmware template, with u-root's init, boots a Debian's
// disk to multi-user without a key press.
func TestFirmware(t *testing.T) {
	t.Parallel()
	disk, err := theLab.DebianDisk(t.Context(), ppc64le)
	if err != nil {
		t.Fatal(err)
	}
	modules, err := theLab.Modules(t.Context(), lab.Debian61, firmwareModules[ppc64le]...)
	if err != nil {
		t.Fatal(err)
	}
	initramfs := filepath.Join(t.TempDir(), "initramfs.cpio")
	if err := theLab.Template(t.Context(), "linuxboot", ppc64le, initramfs, modules); err != nil {
		t.Fatal(err)
	}
	r := runGuest(t, lab.Guest{CPUs: 2, Initramfs: initramfs, Devices: drive(ppc64le, disk), Stages: []lab.Stage{{Kernel: kernel(t, lab.Debian61)}}})
	s := stage(t, r, lab.SystemStage)
	for _, e := range s.Runs {
		if e.Exit != 0 {
			t.Errorf("%v: exit code %d\n%s", e.Argv, e.Exit, e.Stderr)
		}
	}
	got, err := s.Lists[0].Check()
	if err != nil {
		t.Fatal(err)
	}
	if got.Verdict != handover.Match || len(got.Banks) != 4 || len(got.Hops) != 2 {
		t.Errorf("%d hops, %s", len(got.Hops), got.Text)
	}
	t.Log(r.Console)
}
