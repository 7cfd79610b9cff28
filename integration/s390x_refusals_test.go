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

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// A refused is a command with the exit code and the message that it must give.
type refused struct {
	name string
	step script.Step
	exit int
	want string
}

// checkRefusals compares the commands that ran with those that were expected,
// in order.
func checkRefusals(t *testing.T, s *lab.Report, tests []refused) {
	t.Helper()
	if len(s.Runs) < len(tests) {
		t.Fatalf("stage %s: %d commands ran, want %d", s.Name, len(s.Runs), len(tests))
	}
	for i, tt := range tests {
		e := s.Runs[i]
		if e.Exit != tt.exit || !strings.Contains(e.Stderr, tt.want) {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s", tt.name, e.Exit, tt.exit, tt.want, e.Stderr)
		}
		if strings.Contains(e.Stderr, "goroutine") {
			t.Errorf("%s: panic:\n%s", tt.name, e.Stderr)
		}
	}
}

func load(args ...string) script.Step {
	return script.Step{Run: append([]string{"/bin/imaboot", "load"}, args...)}
}

// hostFile makes a file on the host for a guest.
func hostFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRefusalsS390X does what TestRefusals does, for refusals that the
// architecture and the initramfs carrier add.
func TestRefusalsS390X(t *testing.T) {
	t.Parallel()
	stock := kernel(t, lab.Debian61S390X)
	image, err := os.ReadFile(stock)
	if err != nil {
		t.Fatal(err)
	}
	config := []byte("CONFIG_BLK_DEV_INITRD=y\nCONFIG_INITRAMFS_FORCE=y\n")
	files := map[string]string{
		"/k/stock":      stock,
		"/k/cut":        hostFile(t, "cut", image[:len(image)/2]),
		"/k/foreign":    kernel(t, lab.Own4k),
		"/k/vmlinuz-f":  stock,
		"/k/config-f":   hostFile(t, "config", config),
		"/k/filesystem": hostFile(t, "fs", append([]byte("hsqs"), make([]byte, 4096)...)),
		"/k/large":      hostFile(t, "large", append([]byte{0x1f, 0x8b}, make([]byte, 30<<20)...)),
		lab.NextKernel:  stock,
	}
	tests := []refused{
		{"target cannot restore", load("--carry=kernel", "/k/stock"), 26, "no mark that it restores a list"},
		{"target cannot unpack", load("/k/vmlinuz-f"), 26, "CONFIG_INITRAMFS_FORCE"},
		{"cut short", load("/k/cut"), 9, "/k/cut: not a bootable kernel: cut short"},
		{"no parameter area", load("/guest.json"), 9, "an s390x image has at least"},
		{"other architecture", load("/k/foreign"), 9, "EM_PPC64"},
		{"command line too long", load("--command-line", strings.Repeat("x", 4090), "/k/stock"), 10, "this kernel takes 4095"},
		{"command line in UTF-8", load("--command-line", "name=ä", "/k/stock"), 10, "EBCDIC"},
		{"initrd is a file system", load("--initrd", "/k/filesystem", "/k/stock"), 29, "begins with 68 73 71 73"},
		{"initrd too large", load("--initrd", "/k/large", "--command-line", "mem=32M", "/k/stock"), 12, "System RAM"},
		{"no initrd, but a root", load("--command-line", "root=/dev/vda", "/k/stock"), 26, "without an initrd the kernel mounts root= over the list"},
		{"other byte order", load("--command-line", "ima_canonical_fmt", "/k/stock"), 28, "ima_canonical_fmt in all stages"},
		{"kexec_load is forbidden", load("/k/stock"), 14, "kexec_load_disabled is set"},
	}
	var steps []script.Step
	for _, tt := range tests {
		if tt.exit == 14 {
			steps = append(steps, script.Step{Write: "/proc/sys/kernel/kexec_load_disabled", Content: "1"})
		}
		steps = append(steps, tt.step)
	}
	steps = append(steps, proven(s390x), script.Step{Run: []string{"/bin/imaboot", "exec"}})
	r := runGuest(t, lab.Guest{Arch: s390x, CPUs: 1, Stages: []lab.Stage{
		{Kernel: stock, Stage: script.Stage{Name: "1", Steps: steps}, Files: files},
	}})
	s := stage(t, r, "1")
	checkRefusals(t, s, append(tests,
		refused{"verify", script.Step{}, 0, ""}, refused{"nothing is loaded", script.Step{}, 15, "use imaboot load KERNEL first"}))
	if !s.Ended {
		t.Error("the guest did not go on")
	}
}

// TestCannotKexec: Debian's newest kernel for this architecture has no kexec.
func TestCannotKexec(t *testing.T) {
	t.Parallel()
	stock := kernel(t, lab.DebianNewS390X)
	tests := []refused{{"no kexec_load", load(lab.NextKernel), 14, "built without CONFIG_KEXEC"}}
	r := runGuest(t, lab.Guest{Arch: s390x, CPUs: 1, Stages: []lab.Stage{
		{Kernel: stock, Stage: script.Stage{Name: "1", Steps: []script.Step{tests[0].step}}, Files: map[string]string{lab.NextKernel: stock}},
	}})
	checkRefusals(t, stage(t, r, "1"), tests)
}

// TestCarriedBad: verify, list and boot name each fault of a list that came as
// a file, and never join such a list.
func TestCarriedBad(t *testing.T) {
	t.Parallel()
	stock := kernel(t, lab.Debian61S390X)
	const dir = "/imaboot"
	note := func(edit string) script.Step { return script.Step{Write: dir + "/handover.json", Content: edit} }
	var steps []script.Step
	var tests []refused
	add := func(name string, exit int, want string, before ...script.Step) {
		steps = append(steps, before...)
		for _, args := range [][]string{{"verify", "--tpm=off"}, {"list"}, {"boot", lab.NextKernel}} {
			step := script.Step{Run: append([]string{"/bin/imaboot"}, args...)}
			steps = append(steps, step)
			tests = append(tests, refused{name + " " + args[0], step, exit, want})
		}
	}
	add("unknown version", 31, "this imaboot knows 1", note(`{"version": 99}`))
	add("of another boot", 32, "the command line says imaboot.list=", note(`{"version": 1, "carrier": "initramfs", "list_sha256": "`+strings.Repeat("00", 32)+`"}`))
	add("damaged note", 30, "handover.json", note(`{`))
	add("damaged list", 30, "measurements", script.Step{Copy: "/saved/handover.json", To: dir + "/handover.json"}, script.Step{Write: dir + "/measurements", Content: "\x00\x00\x00\x0a cut"})
	add("lost", 33, "the hook for imaboot?", script.Step{Remove: dir})
	off := script.Step{Run: []string{"/bin/imaboot", "list", "--carried=off", "--output", "/own"}}
	steps = append(steps, off, script.Step{List: true, From: "/own"})
	tests = append(tests, refused{"left out", off, 0, ""})

	save := script.Step{Copy: dir + "/handover.json", To: "/saved/handover.json"}
	r := runGuest(t, lab.Guest{Arch: s390x, CPUs: 1, Stages: []lab.Stage{
		{Kernel: stock, Stage: script.Stage{Name: "1", Steps: append(joined[:2:2], boot(s390x))}},
		{
			Kernel: stock, Stage: script.Stage{Name: "2", Steps: append([]script.Step{save}, steps...)},
			Files: map[string]string{lab.NextKernel: stock},
		},
	}})
	s := stage(t, r, "2")
	checkRefusals(t, s, tests)
	if first := stage(t, r, "1").Lists[0].Data; len(s.Lists) != 1 || bytes.HasPrefix(s.Lists[0].Data, first) {
		t.Errorf("%d lists, and the first begins with the carried one", len(s.Lists))
	}
}

// TestColdBootWithLeftover: an archive that was left in an image is not
// mistaken for this boot's.
func TestColdBootWithLeftover(t *testing.T) {
	t.Parallel()
	stock := kernel(t, lab.Debian61S390X)
	tests := []refused{{"verify", proven(s390x), 32, "started without imaboot.list"}}
	note := hostFile(t, "note", []byte(`{"version": 1, "carrier": "initramfs", "list_sha256": "`+strings.Repeat("00", 32)+`"}`))
	r := runGuest(t, lab.Guest{Arch: s390x, CPUs: 1, Stages: []lab.Stage{
		{
			Kernel: stock, Stage: script.Stage{Name: "1", Steps: []script.Step{tests[0].step}},
			Files: map[string]string{"/imaboot/handover.json": note, "/imaboot/measurements": note},
		},
	}})
	checkRefusals(t, stage(t, r, "1"), tests)
}
