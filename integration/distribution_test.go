// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/u-root/u-root/pkg/cpio"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// distributionCmdline mounts the disk of newDistribution as root.
const distributionCmdline = " root=/dev/vda rootfstype=ext4 rw"

// Files that the hook keeps, and the directory that it makes.
const (
	keptDir  = "/run/imaboot"
	keptList = "/run/imaboot/measurements"
	keptNote = "/run/imaboot/handover.json"
)

// newDistribution makes a system with a distribution's initramfs, and its root
// on a disk. Its init reports what the hook has kept, and then does steps.
// newDistribution returns the initramfs and QEMU's arguments.
func newDistribution(t *testing.T, kind string, steps ...script.Step) (initramfs string, devices []string) {
	t.Helper()
	initramfs, err := theLab.DebianInitramfs(t.Context(), kind)
	if err != nil {
		t.Fatal(err)
	}
	disk := filepath.Join(t.TempDir(), "root")
	err = theLab.RootDisk(t.Context(), disk, s390x, lab.Stage{Stage: script.Stage{
		Name: "root", Steps: append([]script.Step{{Read: keptDir}, {Read: keptList}, {Read: keptNote}}, steps...),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return initramfs, rootDevice(disk)
}

// rootDevice returns QEMU's arguments for a disk.
func rootDevice(disk string) []string {
	return []string{"-drive", "if=none,id=root,format=raw,file=" + disk, "-device", "virtio-blk-ccw,drive=root"}
}

// kept returns what the hook has kept: its mode and owner as MODE OWNER, and
// its content, by path. A missing file has empty ones.
func kept(s *lab.Report) (modes map[string]string, content map[string][]byte) {
	modes, content = map[string]string{}, map[string][]byte{}
	for _, e := range s.Others {
		if e.Event == "read" {
			modes[e.Path], content[e.Path] = strings.TrimSpace(e.Mode+" "+e.Owner), e.Data
		}
	}
	return modes, content
}

func checkModes(t *testing.T, modes map[string]string, dir, list, note string) {
	t.Helper()
	for path, want := range map[string]string{keptDir: dir, keptList: list, keptNote: note} {
		if got, ok := modes[path]; !ok || got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestDistributions carries the list into a stock kernel. Its initramfs, made
// by a distribution's own tools, switches to a root on a disk.
func TestDistributions(t *testing.T) {
	for _, kind := range []string{lab.InitramfsTools, lab.Klibc, lab.Dracut, lab.DracutNoSystemd} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			initramfs, devices := newDistribution(t, kind, append([]script.Step{proven(s390x)}, joined...)...)
			stock := kernel(t, lab.Debian61S390X)
			first := lab.Stage{
				Kernel: stock, Files: map[string]string{lab.NextKernel: stock, lab.NextInitrd: initramfs},
				Stage: script.Stage{Name: "1", Steps: append(append([]script.Step{{Measure: 10}}, joined...),
					boot(s390x, "--command-line", lab.Cmdline(s390x)+distributionCmdline))},
			}
			r := runGuest(t, lab.Guest{Arch: s390x, CPUs: 2, Devices: devices, Stages: []lab.Stage{first}})
			checkArrived(t, r, 2)
			modes, content := kept(stage(t, r, "root"))
			checkModes(t, modes, "drwx------ 0:0", "-r-------- 0:0", "-r-------- 0:0")
			lists := stage(t, r, "1").Lists
			if sent := lists[len(lists)-1].Data; !bytes.HasPrefix(content[keptList], sent) {
				t.Errorf("%s: %d bytes do not begin with the %d that were listed before the boot", keptList, len(content[keptList]), len(sent))
			}
		})
	}
}

// TestDistributionsKeepNothing boots the same systems without an archive in
// front, and with one that contains links.
func TestDistributionsKeepNothing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		archive []cpio.Record
		dir     string
		says    int // number of lines
	}{
		{name: "no archive"},
		{
			name: "links", dir: "drwx------ 0:0", says: 2,
			archive: []cpio.Record{
				cpio.StaticFile("secret", "secret", 0o400), cpio.Directory("imaboot", 0o700),
				cpio.Symlink("imaboot/measurements", "/secret"), cpio.Symlink("imaboot/handover.json", "../secret"),
			},
		},
	} {
		for _, kind := range []string{lab.Klibc, lab.Dracut} {
			t.Run(tt.name+" "+kind, func(t *testing.T) {
				t.Parallel()
				initramfs, devices := newDistribution(t, kind)
				r := runGuest(t, lab.Guest{
					Arch: s390x, CPUs: 2, Devices: devices, Append: distributionCmdline,
					Initramfs: behind(t, initramfs, tt.archive), Stages: []lab.Stage{{Kernel: kernel(t, lab.Debian61S390X)}},
				})
				modes, _ := kept(stage(t, r, "root"))
				checkModes(t, modes, tt.dir, "", "")
				if n := strings.Count(r.Console, "imaboot: "); n != tt.says {
					t.Errorf("the hook says %d lines, want %d:\n%s", n, tt.says, r.Console)
				}
			})
		}
	}
}

// behind puts an archive in front of an initramfs, as imaboot does.
func behind(t *testing.T, initramfs string, records []cpio.Record) string {
	t.Helper()
	if len(records) == 0 {
		return initramfs
	}
	var b bytes.Buffer
	w := cpio.Newc.Writer(&b)
	if err := cpio.WriteRecords(w, records); err != nil {
		t.Fatal(err)
	}
	if err := cpio.WriteTrailer(w); err != nil {
		t.Fatal(err)
	}
	const page = 4096
	b.Write(make([]byte, -b.Len()&(page-1)))
	after, err := os.ReadFile(initramfs)
	if err != nil {
		t.Fatal(err)
	}
	return hostFile(t, "initramfs", append(b.Bytes(), after...))
}
