// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// firmwareModules are the modules that a stock kernel needs to read a disk of
// QEMU.
var firmwareModules = map[string][]string{
	ppc64le: {"virtio_pci", "virtio_blk", "ext4", "crc32c_generic"},
	s390x:   {"virtio_blk", "ext4", "crc32c_generic"},
}

var stockOf = map[string]string{ppc64le: lab.Debian61, s390x: lab.Debian61S390X}

// drive attaches images to a guest. The guest does not change them.
func drive(arch string, images ...string) []string {
	device := "virtio-blk-pci"
	if arch == s390x {
		device = "virtio-blk-ccw"
	}
	var args []string
	for i, image := range images {
		args = append(args, "-drive", fmt.Sprintf("if=none,id=d%d,format=raw,snapshot=on,file=%s", i, image),
			"-device", fmt.Sprintf("%s,drive=d%d", device, i))
	}
	return args
}

// newFirmware returns a first stage with a stock kernel and modules for disks,
// but without a target: it has to find one.
func newFirmware(t *testing.T, arch string, steps ...script.Step) lab.Stage {
	t.Helper()
	return firmwareWith(t, arch, firmwareModules[arch], steps...)
}

func firmwareWith(t *testing.T, arch string, modules []string, steps ...script.Step) lab.Stage {
	t.Helper()
	files, err := theLab.Modules(t.Context(), stockOf[arch], modules...)
	if err != nil {
		t.Fatal(err)
	}
	return lab.Stage{Kernel: kernel(t, stockOf[arch]), Files: files, Stage: script.Stage{Name: "1", Steps: steps}}
}

// newDisk makes a disk with a loader's configuration, a kernel, and an
// initramfs that reports as the second stage.
func newDisk(t *testing.T, arch, kernelName, config, text string) string {
	t.Helper()
	return newDiskWith(t, arch, kernelName, map[string]string{config: hostFile(t, "config", []byte(text))})
}

// newDiskWith does what newDisk does, with more files: path there to path on
// the host.
func newDiskWith(t *testing.T, arch, kernelName string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	initrd, err := theLab.Initramfs(t.Context(), dir, arch, lab.Stage{Stage: script.Stage{Name: "2", Steps: append([]script.Step{proven(arch)}, joined...)}})
	if err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(dir, "disk")
	all := maps.Clone(files)
	all["/boot/vmlinux"], all["/boot/initrd"] = kernel(t, kernelName), initrd
	if err := theLab.Disk(t.Context(), image, all); err != nil {
		t.Fatal(err)
	}
	return image
}

// overwrite replaces the beginning of a file.
func overwrite(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func find(flags ...string) script.Step {
	return script.Step{Run: append([]string{"/bin/imaboot", "boot"}, flags...), Show: true}
}

// TestDisk boots from a disk without a key press: modules are loaded, the
// default entry is chosen, and the list arrives.
func TestDisk(t *testing.T) {
	for _, tt := range []struct{ arch, kernel string }{{ppc64le, lab.Own4k}, {s390x, lab.OwnS390X}} {
		t.Run(tt.arch, func(t *testing.T) {
			t.Parallel()
			// The file system does not use its first two sectors.
			config := fmt.Sprintf("load_env -f (${root})0+2\nset default=$next_entry\nmenuentry broken { linux /boot/none }\nmenuentry other { linux /boot/initrd x }\n"+
				"menuentry 'the system' { linux /boot/vmlinux %s\n initrd /boot/initrd }\n", lab.Cmdline(tt.arch))
			disk := newDisk(t, tt.arch, tt.kernel, "/boot/grub/grub.cfg", config)
			overwrite(t, disk, envBlock("next_entry=1"))
			r := runGuest(t, lab.Guest{Arch: tt.arch, CPUs: 1, Devices: drive(tt.arch, disk), Stages: []lab.Stage{newFirmware(t, tt.arch,
				script.Step{Run: []string{"/bin/imaboot", "entries", "--json"}},
				report, find("--timeout=2s", "-v"))}})
			checkArrived(t, r, 2)
			var got struct {
				Entries []struct {
					Title, Kernel, Carrier, Problem string
					Default                         bool
				}
			}
			if err := json.Unmarshal(ran(t, r.Stages[0], "entries").Data, &got); err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v", got)
			for _, want := range []string{"booting", "any key stops", "entry 1: other", "not a bootable kernel", "entry 2: the system", "/boot/none"} {
				if !strings.Contains(r.Console, want) {
					t.Errorf("%q is not on the console:\n%s", want, r.Console)
				}
			}
		})
	}
}

// copyOf returns a copy of a disk that may be written to.
func copyOf(t *testing.T, disk string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "disk")
	if out, err := exec.Command("cp", "--sparse=always", "--reflink=auto", disk, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
	return to
}

// TestDebian boots a system that Debian's own tools made, from its disk to
// multi-user, without a key press. The entry that imaboot offers first is what
// the system's own loader would boot, and the list arrives in the booted
// system.
func TestDebian(t *testing.T) {
	for _, arch := range []string{ppc64le, s390x} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			disk, err := theLab.DebianDisk(t.Context(), arch)
			if err != nil {
				t.Fatal(err)
			}
			firmware := newFirmware(t, arch, script.Step{Measure: 10}, joined[0], joined[1],
				script.Step{Run: []string{"/bin/imaboot", "entries", "--json"}}, find("--timeout=3s"))
			r := runGuest(t, lab.Guest{Arch: arch, CPUs: 2, Devices: drive(arch, disk), Stages: []lab.Stage{firmware}})
			checkArrived(t, r, 2)
			s := stage(t, r, lab.SystemStage)
			if got := strings.TrimSpace(string(s.Runs[0].Data)); got != "active" {
				t.Errorf("multi-user.target is %q", got)
			}
			var got struct {
				Entries []struct {
					Title, Source, Kernel, Cmdline string
					Default                        bool
				}
			}
			if err := json.Unmarshal(ran(t, r.Stages[0], "entries").Data, &got); err != nil {
				t.Fatal(err)
			}
			for _, e := range got.Entries {
				t.Logf("%+v", e)
			}
			if len(got.Entries) == 0 || !got.Entries[0].Default || !strings.Contains(s.Start.Cmdline, got.Entries[0].Cmdline) {
				t.Errorf("the first entry is not what was booted with %q", s.Start.Cmdline)
			}
			if arch == ppc64le {
				linux, _ := realGRUB(t, copyOf(t, disk), "hd0,msdos2")
				e := got.Entries[0]
				if want := "vda2:" + strings.Join(linux, " "); e.Kernel+" "+e.Cmdline != want {
					t.Errorf("the first entry is %s %s, GRUB's is %s", e.Kernel, e.Cmdline, want)
				}
			}
			for line := range strings.SplitSeq(r.Console, "\n") {
				if strings.HasPrefix(line, "imaboot") || strings.Contains(line, "  list: ") || strings.HasPrefix(line, "*") {
					t.Log(line)
				}
			}
		})
	}
}

// grubConfig returns an entry for newDisk.
func grubConfig(arch string) string {
	return fmt.Sprintf("menuentry 'the system' { linux /boot/vmlinux %s\n initrd /boot/initrd }\n", lab.Cmdline(arch))
}

// TestLateDisk: the disk appears while imaboot waits for one.
func TestLateDisk(t *testing.T) {
	t.Parallel()
	const driver = "/sys/bus/virtio/drivers/virtio_blk/"
	disk := newDisk(t, ppc64le, lab.Own4k, "/boot/grub/grub.cfg", grubConfig(ppc64le))
	firmware := newFirmware(t, ppc64le, report,
		script.Step{Run: []string{"/bin/imaboot", "entries"}}, // to load the modules
		script.Step{Write: driver + "unbind", Content: "virtio0"},
		script.Step{Run: []string{"/bin/imaboot", "boot", "--from=disk", "--wait=1s", "--no-menu"}},
		script.Step{Write: driver + "bind", Content: "virtio0", On: &script.Trigger{Say: "waiting for disks, 30s at most"}},
		find("--no-menu"))
	r := runGuest(t, lab.Guest{CPUs: 1, Devices: drive(ppc64le, disk), Stages: []lab.Stage{firmware}})
	first := stage(t, r, "1")
	checkRefusals(t, &lab.Report{Runs: first.Runs[1:]}, []refused{
		{"no disk", script.Step{}, 43, "waiting for disks, 1s at most"},
	})
	first.Runs = nil
	checkArrived(t, r, 2)
	if !strings.Contains(r.Console, "waiting for disks, 30s at most") {
		t.Error("the disk was not waited for")
	}
}

// TestBadDisks: a disk that cannot be read is skipped with a reason, and the
// other is booted.
func TestBadDisks(t *testing.T) {
	t.Parallel()
	broken := make([]byte, 8<<20)
	copy(broken[1024+56:], "\x53\xef")
	encrypted := make([]byte, 1<<20)
	copy(encrypted, "LUKS\xba\xbe")
	hostile := "source /boot/grub/grub.cfg\nset x=\"\x1b[2J\nmenuentry \"a\x1b[2Jb\" { linux /boot/../../../../init }\nwhile true; do set y=$y$y; done\n"
	disks := drive(ppc64le,
		hostFile(t, "broken", broken), hostFile(t, "encrypted", encrypted), hostFile(t, "empty", make([]byte, 1<<20)),
		newDisk(t, ppc64le, lab.Own4k, "/boot/grub/grub.cfg", hostile),
		newDisk(t, ppc64le, lab.Own4k, "/etc/kboot.conf", fmt.Sprintf("default=one\none='/boot/vmlinux initrd=/boot/initrd %s'\n", lab.Cmdline(ppc64le))))
	r := runGuest(t, lab.Guest{CPUs: 1, Devices: disks, Stages: []lab.Stage{newFirmware(t, ppc64le, report, find("--no-menu"))}})
	checkArrived(t, r, 2)
	t.Log(r.Console)
	for _, want := range []string{"vda: ext4 cannot be mounted", "vdb: cannot be mounted: it is encrypted", "entry 1: one"} {
		if !strings.Contains(r.Console, want) {
			t.Errorf("%q is not on the console", want)
		}
	}
	if strings.Contains(r.Console, "\x1b[2Jb") {
		t.Error("a name controls the console")
	}
}

// twoWays attaches an image to a guest as one disk on two paths.
func twoWays(image string) []string {
	args := []string{"-device", "virtio-scsi-pci"}
	for _, id := range []string{"a", "b"} {
		args = append(args, "-drive", fmt.Sprintf("if=none,id=%s,format=raw,snapshot=on,file=%s", id, image),
			"-device", fmt.Sprintf("scsi-hd,drive=%s,wwn=0x5000c50015ea71aa", id))
	}
	return args
}

// TestMenu: a key stops the countdown, a command line is edited, and a missing
// shell does not end the menu. The disk is attached on two paths, but offered
// once.
func TestMenu(t *testing.T) {
	t.Parallel()
	config := "menuentry first { linux /boot/vmlinux first }\n" + grubConfig(ppc64le)
	disk := newDisk(t, ppc64le, lab.Own4k, "/boot/grub/grub.cfg", config)
	modules := append([]string{"virtio_scsi", "sd_mod"}, firmwareModules[ppc64le]...)
	firmware := firmwareWith(t, ppc64le, modules, report, find("--timeout=10m"))
	r := runGuest(t, lab.Guest{
		CPUs: 1, Devices: twoWays(disk), Stages: []lab.Stage{firmware},
		Keys: []lab.Keys{
			{After: "any key stops", Type: "x"}, {After: "> x", Type: "\x7fs\r"}, {After: "no shell", Type: "9\r"},
			{After: "there is no entry", Type: "e 2\r"}, {After: "> console=", Type: " typed=1\r"},
		},
	})
	checkArrived(t, r, 2)
	for _, want := range []string{"sdb is sda, by another way", "disk: 2 entries"} {
		if !strings.Contains(r.Console, want) {
			t.Errorf("%q is not on the console", want)
		}
	}
	if got := stage(t, r, "2").Start.Cmdline; !strings.HasSuffix(got, lab.Cmdline(ppc64le)+" typed=1") {
		t.Errorf("command line %q", got)
	}
}
