// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// A hop is how a chain continues: by flags of boot, or by the running kernel's
// own kexec_file_load.
type hop struct {
	flags []string
	file  bool
}

var (
	auto        = hop{}
	byKernel    = hop{flags: []string{"--carry=kernel"}}
	byInitramfs = hop{flags: []string{"--carry=initramfs"}}
	byFile      = hop{file: true}
)

// TestCarriers takes the list through chains of kernels. In each stage, imaboot
// list writes a list that begins with that of the previous stage, whatever
// carried it.
func TestCarriers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kernels []string
		hops    []hop
		records int    // measured by each stage but the last
		cmdline string // appended to each kernel's command line
		carried string // carriers that boot reported, in order
		guest   lab.Guest
	}{
		{
			name: "s390x stock to stock", kernels: []string{lab.Debian61S390X, lab.Debian61S390X, lab.DebianNewS390X},
			hops: []hop{auto, auto}, records: 10, carried: "initramfs initramfs", guest: lab.Guest{Arch: s390x, CPUs: 2},
		},
		{
			name: "s390x kernel's carrier", kernels: []string{lab.OwnS390X, lab.OwnS390X, lab.OwnS390X},
			hops: []hop{auto, byKernel}, records: 10, carried: "kernel kernel", guest: lab.Guest{Arch: s390x, CPUs: 1},
		},
		{
			name: "s390x mixed", kernels: []string{lab.Debian61S390X, lab.OwnS390X, lab.OwnS390X, lab.Debian61S390X},
			hops: []hop{byInitramfs, byKernel, auto}, records: 10, carried: "initramfs kernel initramfs", guest: lab.Guest{Arch: s390x, CPUs: 2},
		},
		{
			name: "s390x kexec_file_load", kernels: []string{lab.OwnS390X, lab.OwnS390X, lab.OwnS390X},
			hops: []hop{byFile, byKernel}, records: 10, carried: "kernel", guest: lab.Guest{Arch: s390x, CPUs: 2},
		},
		{
			name: "s390x 512 MiB, 4 CPUs", kernels: []string{lab.Debian61S390X, lab.OwnS390X},
			hops: []hop{auto}, records: 10, carried: "kernel", guest: lab.Guest{Arch: s390x, Memory: "512M", CPUs: 4},
		},
		{
			name: "s390x 8 GiB", kernels: []string{lab.Debian61S390X, lab.Debian61S390X, lab.OwnS390X},
			hops: []hop{auto, auto}, records: 10, carried: "initramfs kernel", guest: lab.Guest{Arch: s390x, Memory: "8G", CPUs: 2},
		},
		{
			name: "s390x less memory for the next", kernels: []string{lab.OwnS390X, lab.OwnS390X},
			hops: []hop{{flags: []string{"--command-line", lab.Cmdline(s390x) + " mem=256M"}}}, records: 10, carried: "kernel", guest: lab.Guest{Arch: s390x, CPUs: 1},
		},
		{
			name: "s390x canonical", kernels: []string{lab.Debian61S390X, lab.OwnS390X, lab.Debian61S390X}, cmdline: " ima_canonical_fmt",
			hops: []hop{auto, auto}, records: 10, carried: "kernel initramfs", guest: lab.Guest{Arch: s390x, CPUs: 1},
		},
		{
			name: "s390x 20000 records", kernels: []string{lab.Debian61S390X, lab.Debian61S390X, lab.OwnS390X},
			hops: []hop{auto, auto}, records: 20000, carried: "initramfs kernel", guest: lab.Guest{Arch: s390x, CPUs: 2, Timeout: 20 * time.Minute},
		},
		{
			name: "ppc64le stock to stock", kernels: []string{lab.Debian61, lab.Debian61, lab.DebianNew},
			hops: []hop{auto, auto}, records: 10, carried: "initramfs initramfs", guest: lab.Guest{Arch: ppc64le, CPUs: 2},
		},
		{
			name: "ppc64le mixed", kernels: []string{lab.Debian61, lab.Own4k, lab.Own4k, lab.Own4k},
			hops: []hop{byInitramfs, byInitramfs, byKernel}, records: 10, carried: "initramfs initramfs kernel", guest: lab.Guest{Arch: ppc64le, CPUs: 1},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := tt.guest
			g.Append += tt.cmdline
			cmdline := lab.Cmdline(g.Arch) + tt.cmdline
			for i, k := range tt.kernels {
				s := lab.Stage{Kernel: kernel(t, k), Stage: script.Stage{Name: fmt.Sprint(i + 1)}}
				if i > 0 {
					s.Steps = append(s.Steps, proven(g.Arch))
				}
				if i < len(tt.hops) {
					s.Steps = append(s.Steps, script.Step{Measure: tt.records})
				}
				s.Steps = append(s.Steps, joined...)
				if i < len(tt.hops) {
					s.Steps = append(s.Steps, tt.hops[i].step(g.Arch, cmdline))
				}
				g.Stages = append(g.Stages, s)
			}
			r := runGuest(t, g)
			checkArrived(t, r, len(tt.kernels))
			named := strings.Fields(tt.carried)
			for i, h := range tt.hops {
				if h.file {
					continue // the kernel writes no note
				}
				want := map[string]string{"initramfs": "came as a file", "kernel": "were restored by the kernel"}[named[0]]
				named = named[1:]
				if got := string(ran(t, r.Stages[i+1], "verify").Data); !strings.Contains(got, want) {
					t.Errorf("stage %d: %q is not in\n%s", i+2, want, got)
				}
			}
			if got := carriers(r.Console); got != tt.carried {
				t.Errorf("carriers %q, want %q", got, tt.carried)
			}
			for _, s := range r.Stages {
				if s.Start.CPUs != g.CPUs {
					t.Errorf("stage %s has %d CPUs, want %d", s.Name, s.Start.CPUs, g.CPUs)
				}
			}
		})
	}
}

func (h hop) step(arch, cmdline string) script.Step {
	if h.file {
		return script.Step{KexecFile: &script.KexecFile{Kernel: lab.NextKernel, Initrd: lab.NextInitrd, Cmdline: cmdline}}
	}
	return boot(arch, append([]string{"--command-line", cmdline}, h.flags...)...)
}

// proven returns the step verify. On a machine without a TPM, verify proves
// nothing and says so.
func proven(arch string) script.Step {
	if arch == s390x {
		return script.Step{Run: []string{"/bin/imaboot", "verify", "--tpm=off"}}
	}
	return verify
}

// carriers returns the carriers that boot reported on the console.
func carriers(console string) string {
	var out []string
	for line := range strings.SplitSeq(console, "\n") {
		if _, rest, ok := strings.Cut(line, " carrier: "); ok {
			name, _, _ := strings.Cut(rest, " ")
			out = append(out, name)
		}
	}
	return strings.Join(out, " ")
}

// TestS390XELF boots the ELF file from which the flat image is made, and passes
// it the list.
func TestS390XELF(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.OwnS390X)
	r := runGuest(t, lab.Guest{Arch: s390x, CPUs: 1, Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: []script.Step{report, boot(s390x, "--carry=kernel")}}},
		{Kernel: filepath.Join(filepath.Dir(own), "vmlinux"), Stage: script.Stage{Name: "2", Steps: []script.Step{report}}},
	}})
	checkArrived(t, r, 2)
}

// TestNote: imaboot compares what the sender said it sent with what the kernel
// restored. So a list that was lost on the way differs from one that was never
// sent.
func TestNote(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	imaboot := func(args ...string) script.Step { return script.Step{Run: append([]string{"/bin/imaboot"}, args...)} }
	tests := []refused{
		{"restored", verify, 0, ""},
		{"saved", imaboot("list", "--output", "/saved"), 0, ""},
		{"deleted", verify, 30, "are not those that"},
		{"deleted", imaboot("list"), 30, "are not those that"},
		{"deleted", load(lab.NextKernel), 30, "are not those that"},
		{"left out", imaboot("list", "--carried=off"), 0, ""},
		{"with the prefix", imaboot("verify", "--prefix", "/saved"), 0, ""},
	}
	var steps []script.Step
	for i, tt := range tests {
		switch i {
		case 2:
			steps = append(steps, script.Step{Write: imaList, Content: "1\n"})
		case 6:
			steps = append(steps, script.Step{Cut: "/saved", Records: 1})
		}
		steps = append(steps, tt.step)
	}
	r := runGuest(t, lab.Guest{CPUs: 1, Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: []script.Step{report, boot(ppc64le)}}},
		{Kernel: own, Files: map[string]string{lab.NextKernel: own}, Stage: script.Stage{Name: "2", Steps: steps}},
	}})
	checkRefusals(t, stage(t, r, "2"), tests)
}

// TestNoNote: with --no-note, imaboot adds nothing to the command line and
// initrd.
func TestNoNote(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	r := runGuest(t, lab.Guest{CPUs: 1, Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: []script.Step{report, boot(ppc64le, "--no-note")}}},
		{Kernel: own, Stage: script.Stage{Name: "2", Steps: []script.Step{verify, {Read: "/imaboot"}, report}}},
	}})
	checkArrived(t, r, 2)
	s := stage(t, r, "2")
	if s.Start.Cmdline != lab.Cmdline(ppc64le) {
		t.Errorf("command line %q", s.Start.Cmdline)
	}
	if modes, _ := kept(s); modes["/imaboot"] != "" {
		t.Error("there is a note")
	}
}

// TestStaged: records that were staged for an export still belong to the list.
func TestStaged(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	stage := script.Step{Write: "/sys/kernel/security/integrity/ima/binary_runtime_measurements_sha1_staged", Content: "A\n"}
	for _, by := range []string{"kernel", "initramfs"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			steps := append([]script.Step{{Measure: 5}, stage, {Measure: 3}}, joined...)
			r := runGuest(t, lab.Guest{CPUs: 1, Stages: []lab.Stage{
				{Kernel: own, Stage: script.Stage{Name: "1", Steps: append(steps, boot(ppc64le, "--carry="+by))}},
				{Kernel: own, Stage: script.Stage{Name: "2", Steps: append([]script.Step{verify}, joined...)}},
			}})
			checkArrived(t, r, 2)
		})
	}
}
