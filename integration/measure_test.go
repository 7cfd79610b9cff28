// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-eventlog/extract"
	"github.com/google/go-eventlog/register"
	"github.com/google/go-eventlog/tcg"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/pcr"
)

// eventLog is the file in which a stage finds what the previous stage extended.
const eventLog = "/imaboot/eventlog"

func loaderPCR(bank string, pcr int) string {
	return fmt.Sprintf("/sys/class/tpm/tpm0/pcr-%s/%d", bank, pcr)
}

// TestMeasure: the kernel, initrd and command line of each measured jump are in
// PCRs 9 and 8, and in an event log. The log arrives with either carrier.
// Another project's parser replays it, and it explains the boot_aggregate of
// every kernel. A jump that is not measured passes the log on.
func TestMeasure(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	hashes := map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha384": crypto.SHA384}
	steps := []script.Step{
		{Run: []string{"/bin/imaboot", "verify"}},
		{Run: []string{"/bin/imaboot", "verify", "--json"}},
		{Read: eventLog},
	}
	for bank := range hashes {
		steps = append(steps, script.Step{Read: loaderPCR(bank, 8)}, script.Step{Read: loaderPCR(bank, 9)})
	}
	steps = append(steps, joined...)
	first := append(joined[:2:2],
		load("--measure", "--carry=kernel", "--initrd", lab.NextInitrd, "--command-line", lab.Cmdline(ppc64le), lab.NextKernel),
		script.Step{Run: []string{"/bin/imaboot", "exec"}, Show: true})
	r := runGuest(t, lab.Guest{CPUs: 1, Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: first}},
		{Kernel: own, Stage: script.Stage{Name: "2", Steps: append(slices.Clip(steps), boot(ppc64le, "--measure", "--carry=initramfs"))}},
		{Kernel: own, Stage: script.Stage{Name: "3", Steps: append(slices.Clip(steps), boot(ppc64le))}},
		{Kernel: own, Stage: script.Stage{Name: "4", Steps: steps}},
	}})
	checkArrived(t, r, 4)
	image, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	measured := []int{0, 1, 2, 2} // number of jumps, by stage
	all := []eventlog.Aggregate{{PCRs: "0-9", Events: 0}, {PCRs: "0-9", Events: 3}, {PCRs: "0-9", Events: 6}, {PCRs: "0-9", Events: 6}}
	for i, s := range r.Stages[1:] {
		hop := measured[i+1]
		t.Logf("stage %s:\n%s", s.Name, s.Runs[0].Data)
		_, content := kept(s)
		for bank, hash := range hashes {
			var mrs []register.MR
			for _, pcr := range []int{8, 9} {
				value, err := hex.DecodeString(strings.TrimSpace(string(content[loaderPCR(bank, pcr)])))
				if err != nil {
					t.Fatal(err)
				}
				mrs = append(mrs, register.PCR{Index: pcr, Digest: value, DigestAlg: hash})
			}
			events, err := tcg.ParseAndReplay(content[eventLog], mrs, tcg.ParseOpts{})
			if err != nil {
				t.Fatalf("stage %s, %s: %v", s.Name, bank, err)
			}
			grub, err := extract.GrubStateFromTPMLog(hash, events)
			if err != nil {
				t.Fatalf("stage %s, %s: %v", s.Name, bank, err)
			}
			if len(grub.Files) != 2*hop || len(grub.Commands) != hop {
				t.Errorf("stage %s, %s: %d files and %d command lines", s.Name, bank, len(grub.Files), len(grub.Commands))
			}
			kernel := grub.Files[len(grub.Files)-2]
			if got := pcr.Algorithm(bank).Sum(image); string(kernel.UntrustedFilename) != lab.NextKernel+"\x00" || !bytes.Equal(got, kernel.Digest) {
				t.Errorf("stage %s, %s: %q is %x, want %x", s.Name, bank, kernel.UntrustedFilename, kernel.Digest, got)
			}
			if got := grub.Commands[hop-1]; got != "kernel_cmdline: "+lab.Cmdline(ppc64le)+"\x00" {
				t.Errorf("stage %s, %s: %q", s.Name, bank, got)
			}
		}
		var report struct {
			EventLog struct {
				Events     int                  `json:"events"`
				Aggregates []eventlog.Aggregate `json:"boot_aggregates"`
			} `json:"event_log"`
		}
		if err := json.Unmarshal(s.Runs[1].Data, &report); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[:i+2], report.EventLog.Aggregates); diff != "" || report.EventLog.Events != 3*hop {
			t.Errorf("stage %s: %d events\n%s", s.Name, report.EventLog.Events, diff)
		}
	}
}

// TestMeasureRefused: the log cannot arrive, is damaged, or does not match the
// PCRs.
func TestMeasureRefused(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	const extended = "/run/imaboot/eventlog.extended"
	measured := func(flags ...string) script.Step {
		return load(append([]string{"--measure", "--initrd", lab.NextInitrd}, append(flags, lab.NextKernel)...)...)
	}
	tests := []refused{
		{"without an initrd", load("--measure", lab.NextKernel), 41, "the target unpacks no initramfs"},
		{"damaged", measured(), 39, extended + ": event log is damaged: header"},
		{"another jump failed", measured(), 0, "event log: 0 events, and 3 that will be extended at the jump"},
		{"loads", measured(), 0, "3 that will be extended at the jump"},
		{"another extends", measured(), 40, "does not lead to the PCR"},
		{"verify of another's log", script.Step{Run: []string{"/bin/imaboot", "verify"}}, 40, "the event log does not lead to the PCR 9"},
	}
	empty := eventlog.New(pcr.Algorithms)
	failed, err := empty.File("never extended", nil)
	if err != nil {
		t.Fatal(err)
	}
	steps := []script.Step{
		tests[0].step,
		{Write: extended, Content: "garbage"}, tests[1].step,
		{Copy: "/failed", To: extended}, tests[2].step,
		{Remove: extended}, tests[3].step,
		{PCR: 9, Extend: "all"}, tests[4].step,
		{Copy: "/empty", To: extended}, tests[5].step,
	}
	r := runGuest(t, lab.Guest{CPUs: 1, Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: steps}, Files: map[string]string{
			"/failed": hostFile(t, "failed", empty.With(failed).Bytes()), "/empty": hostFile(t, "empty", empty.Bytes()),
		}},
		{Kernel: own, Stage: script.Stage{Name: "2"}},
	}})
	checkRefusals(t, stage(t, r, "1"), tests)
}

// TestMeasureNoTPM: without a TPM, there is nothing to extend.
func TestMeasureNoTPM(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.OwnS390X)
	tests := []refused{{"no TPM", load("--measure", "--initrd", lab.NextInitrd, lab.NextKernel), 20, "a TPM 2.0 is needed"}}
	r := runGuest(t, lab.Guest{Arch: s390x, CPUs: 1, Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: []script.Step{tests[0].step}}},
		{Kernel: own, Stage: script.Stage{Name: "2"}},
	}})
	checkRefusals(t, stage(t, r, "1"), tests)
}
