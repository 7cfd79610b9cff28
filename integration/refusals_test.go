// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"strings"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/handover"
)

// cannotRestore is the path of a kernel in the guest that cannot restore a
// list.
const cannotRestore = "/next/stock"

// quietBoot returns a step like boot, but reports its messages instead of
// showing them.
func quietBoot(arch string, flags ...string) script.Step {
	s := boot(arch, flags...)
	s.Show = false
	return s
}

// TestRefusals: each refusal gives an exit code and a reason before the jump.
// Nothing stays loaded, and the guest continues.
func TestRefusals(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	loaded := script.Step{Run: []string{"/bin/imaboot", "exec"}}
	tests := []refused{
		{"target cannot restore", load("--carry=kernel", cannotRestore), 26, "the image lacks the text linux,ima-kexec-buffer"},
		{"no kernel", load("/guest.json"), 9, "/guest.json: not a bootable kernel: no ELF file"},
		{"no file", load("/none"), 8, "/none: no such file or directory"},
		{"a directory", load("/next"), 8, "/next is no regular file"},
		{"unreadable initrd", load("--initrd", "/none", lab.NextKernel), 8, "/none: no such file"},
		{"command line too long", load("--command-line", strings.Repeat("x", 2048), lab.NextKernel), 10, "ppc64le kernels take 2047"},
		{"bad device tree", load("--dtb", "/guest.json", lab.NextKernel), 11, "/guest.json: bad device tree"},
		{"no room", load("--room", "99999999999", lab.NextKernel), 12, "System RAM"},
		{"bad flag", load("--nonsense", lab.NextKernel), 2, "nonsense"},
		{"nothing loaded", loaded, 15, "use imaboot load KERNEL first"},
		{"list cut short", script.Step{Run: []string{"/bin/imaboot", "verify", "--list", "/cut"}}, 6, "/cut: record 1 at offset 0: list is cut short"},
		{"bad PCR", script.Step{Run: []string{"/bin/imaboot", "verify", "--list", "/cut", "--pcr", "sha1=00"}}, 7, "sha1 has 20 bytes, 1 are given"},
		{"no kexec_load any more", load(lab.NextKernel), 14, "kexec_load_disabled is set"},
	}
	steps := []script.Step{{Write: "/cut", Content: "\x0a\x00\x00\x00too short"}}
	for _, tt := range tests {
		if tt.exit == 14 {
			steps = append(steps, script.Step{Write: "/proc/sys/kernel/kexec_load_disabled", Content: "1"})
		}
		steps = append(steps, tt.step)
	}
	steps = append(steps, verify)
	r := runGuest(t, lab.Guest{CPUs: 1, Stages: []lab.Stage{
		{
			Kernel: own, Stage: script.Stage{Name: "1", Steps: steps},
			Files: map[string]string{cannotRestore: kernel(t, lab.Debian61), lab.NextKernel: own},
		},
	}})
	s := stage(t, r, "1")
	checkRefusals(t, s, append(tests, refused{"verify at the end", verify, 0, ""}))
	if e := s.Runs[len(tests)]; e.Exit != 0 {
		t.Errorf("verify at the end: exit code %d\n%s", e.Exit, e.Stderr)
	}
}

// TestExtendedBehindIMA: something other than IMA extended PCR 10.
func TestExtendedBehindIMA(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	r := runGuest(t, lab.Guest{CPUs: 1, Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: []script.Step{
			{Extend: "all"}, quietBoot(ppc64le), {Measure: 3}, report, verify, quietBoot(ppc64le, "--tpm=off"),
		}}},
		{Kernel: own, Stage: script.Stage{Name: "2", Steps: []script.Step{report}}},
	}})
	first := stage(t, r, "1")
	refused := ran(t, first, "boot")
	if refused.Exit != 22 || !strings.Contains(refused.Stderr, "tpm-ahead-of-list") {
		t.Errorf("boot: exit code %d, want 22:\n%s", refused.Exit, refused.Stderr)
	}
	if e := ran(t, first, "verify"); e.Exit != 22 {
		t.Errorf("verify: exit code %d, want 22", e.Exit)
	}
	// The guest continued to measure, and boots when it is told not to
	// compare.
	got, err := stage(t, r, "2").Lists[0].Check()
	if err != nil {
		t.Fatal(err)
	}
	if got.Verdict != handover.TPMAhead || len(got.Hops) != 2 {
		t.Errorf("second stage: %s, %d hops", got.Text, len(got.Hops))
	}
}

// listCount is the file that imaboot reads before the list, and again before it
// jumps.
const listCount = "/sys/kernel/security/integrity/ima/runtime_measurements_count"

// whileLoaded fires when imaboot checks the list again after it has loaded a
// kernel. Debian's kernel lets a guest wait for that.
func whileLoaded(times int) *script.Trigger {
	return &script.Trigger{Open: listCount, Loaded: true, Times: times}
}

// TestGrowingList: files are measured while imaboot loads. As long as that
// continues, imaboot refuses; once it has ended, imaboot carries the whole
// list.
func TestGrowingList(t *testing.T) {
	t.Parallel()
	r := runGuest(t, lab.Guest{CPUs: 2, Stages: []lab.Stage{
		{Kernel: kernel(t, lab.Debian61), Stage: script.Stage{Name: "1", Steps: []script.Step{
			{Measure: 1, On: whileLoaded(0)}, quietBoot(ppc64le), {Stop: true}, report,
			{Measure: 1, On: whileLoaded(1)}, boot(ppc64le, "-v"),
		}}},
		{Kernel: kernel(t, lab.Own4k), Stage: script.Stage{Name: "2", Steps: []script.Step{report, verify}}},
	}})
	first, second := stage(t, r, "1"), stage(t, r, "2")
	e := ran(t, first, "boot")
	if e.Exit != 27 || !strings.Contains(e.Stderr, "keeps growing") {
		t.Errorf("boot: exit code %d, want 27:\n%s", e.Exit, e.Stderr)
	}
	if !strings.Contains(r.Console, "loading again") {
		t.Error("no list was loaded again")
	}
	checkArrived(t, &lab.Result{Stages: []*lab.Report{{Name: "1", Start: first.Start, Lists: first.Lists}, second}}, 2)
}

// TestTPMVanishes: the TPM is there when imaboot first reads the list, and gone
// when it reads the list again. imaboot carries nothing that it cannot compare.
func TestTPMVanishes(t *testing.T) {
	t.Parallel()
	ascii := script.Step{Run: []string{"/bin/imaboot", "list", "--format=ascii"}}
	tests := []refused{{"the TPM is gone", load(lab.NextKernel), 20, "no-tpm: the TPM does not answer any more: "}}
	r := runGuest(t, lab.Guest{CPUs: 2, Stages: []lab.Stage{{
		Kernel: kernel(t, lab.Debian61), Files: map[string]string{lab.NextKernel: kernel(t, lab.Own4k)},
		Stage: script.Stage{Name: "1", Steps: []script.Step{
			{Write: "/sys/bus/vio/drivers/tpm_ibmvtpm/unbind", Content: "71000002", On: whileLoaded(1)},
			tests[0].step,
			// The kernel prints a message about each file on the
			// console, where reports have to arrive undamaged.
			{Measure: 100000, Background: true, DelayMS: 20},
			ascii, ascii, {Stop: true},
		}},
	}}})
	s := stage(t, r, "1")
	checkRefusals(t, s, tests)
	if n := len(s.Runs); n != 3 {
		t.Errorf("%d commands reported, want 3", n)
	}
}
