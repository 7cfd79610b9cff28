// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/internal/hostile"
)

// TestHostileDisks boots Debian on a machine with 512 MiB. Beside it are disks with
// files that would take all memory, and with configurations that never end. They
// come first, and what they name is the default. Of each it is said what is wrong.
func TestHostileDisks(t *testing.T) {
	for _, arch := range []string{ppc64le, s390x} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			debian, err := theLab.DebianDisk(t.Context(), arch)
			if err != nil {
				t.Fatal(err)
			}
			disks := drive(arch, hostileDisk(t, arch), endlessDisk(t), debian)
			firmware := newFirmware(t, arch, script.Step{Measure: 10}, joined[0], joined[1], find("--no-menu", "--from=disk"))
			r := runGuest(t, lab.Guest{Arch: arch, CPUs: 2, Memory: "512M", Devices: disks, Stages: []lab.Stage{firmware}})
			checkArrived(t, r, 2)
			if got := strings.TrimSpace(string(stage(t, r, lab.SystemStage).Runs[0].Data)); got != "active" {
				t.Errorf("multi-user.target is %q", got)
			}
			for _, f := range hostileFiles() {
				checkSaid(t, r.Console, f.Refusal+":.*"+f.Name)
			}
			checkSaid(t, r.Console, "vd.:.*/link.*|vd.:.*more than .* bytes are read or made|vd.:.*the time to read this disk is over")
			checkSaid(t, r.Console, "vd.:.*more than 64 initrds")
		})
	}
}

// checkSaid expects a line on the console.
func checkSaid(t *testing.T, console, line string) {
	t.Helper()
	if !regexp.MustCompile(line).MatchString(console) {
		t.Errorf("%q is not on the console", line)
	}
}

// hostileFiles are those that an entry of hostileDisk is about.
func hostileFiles() []hostile.File {
	files := append(hostile.Kernels(), hostile.Trees()...)
	for _, f := range hostile.Initrds() {
		if f.Refusal == "" { // it is harmless alone
			f.Refusal = "too-large"
		}
		files = append(files, f)
	}
	return files
}

// hostileDisk makes a disk with an entry for each hostile file.
func hostileDisk(t *testing.T, arch string) string {
	t.Helper()
	root := t.TempDir()
	var config strings.Builder
	entry := func(title, commands string) {
		fmt.Fprintf(&config, "menuentry %s {\n%s\n}\n", title, commands)
	}
	for _, f := range append(append(hostile.Kernels(), hostile.Trees()...), hostile.Initrds()...) {
		writeFile(t, root, "boot/"+f.Name, "")
		if err := f.Write(filepath.Join(root, "boot", f.Name)); err != nil {
			t.Fatal(err)
		}
	}
	image, err := os.ReadFile(kernel(t, stockOf[arch]))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, root, "boot/vmlinux", string(image))
	for _, f := range hostile.Kernels() {
		entry(f.Name, "linux /boot/"+f.Name)
	}
	for _, f := range hostile.Trees() {
		entry(f.Name, "linux /boot/vmlinux\ndevicetree /boot/"+f.Name)
	}
	for _, f := range hostile.Initrds() {
		names := " /boot/" + f.Name
		if f.Refusal == "" {
			const many = 50
			names = strings.Repeat(names, many)
		}
		entry(f.Name, "linux /boot/vmlinux\ninitrd"+names)
	}
	writeFile(t, root, "boot/grub/grub.cfg", config.String())
	return sparseDisk(t, root)
}

// endlessDisk makes a disk whose configuration of GRUB follows a long path for ever.
// It has an entry with 20000 initrds, and files of 1 TiB in the place of others.
func endlessDisk(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	deep := strings.Repeat("d/", 110)
	for name, text := range map[string]string{
		deep + "x": "", "vmlinux": "", "i": "",
		"boot/grub/grub.cfg":        "while true; do\n" + strings.Repeat("test -e /link\n", 1000) + "done\n",
		"loader/entries/many.conf":  "title many\nlinux /vmlinux\n" + strings.Repeat("initrd /i\n", 5000),
		"loader/entries/large.conf": "",
		"etc/kboot.conf":            "",
		"etc/zipl.conf":             "",
	} {
		writeFile(t, root, name, text)
	}
	for _, name := range []string{"loader/entries/large.conf", "etc/kboot.conf", "etc/zipl.conf"} {
		if err := os.Truncate(filepath.Join(root, name), 1<<40); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/"+deep, filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	return sparseDisk(t, root)
}

// sparseDisk makes a disk whose files have the holes that those of a directory have.
func sparseDisk(t *testing.T, root string) string {
	t.Helper()
	disk := filepath.Join(t.TempDir(), "disk")
	const size = "256M"
	if out, err := exec.Command("mke2fs", "-q", "-F", "-t", "ext4", "-d", root, disk, size).CombinedOutput(); err != nil {
		t.Fatalf("mke2fs: %v: %s", err, out)
	}
	return disk
}
