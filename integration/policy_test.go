// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"bytes"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// firmwarePolicy is the file that holds the project's policy in guests.
const firmwarePolicy = "/etc/firmware.policy"

var policyFiles = map[string]string{firmwarePolicy: "../templates/policies/firmware.policy"}

// TestPolicy: on tmpfs, the target is not measured until the project's policy
// is loaded. From then on, the list of the next kernel names the kernel and the
// initrd that were booted.
func TestPolicy(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	tests := []refused{
		{"not measured", load("--require-measured", "--initrd", lab.NextInitrd, lab.NextKernel), 37, "the content of /next/kernel is in no record"},
		{"bad rule", load("--policy", "/bad", lab.NextKernel), 34, `/bad: line 3: "measure func=NONSENSE"`},
		{"no policy", load("--policy", "/none", lab.NextKernel), 8, "/none"},
		{"no rule", load("--policy", "/empty", lab.NextKernel), 34, "it has no rule"},
		{"still not measured", load("--require-measured", lab.NextKernel), 37, "is in no record"},
	}
	steps := []script.Step{
		{Write: "/bad", Content: "# why\nmeasure func=BPRM_CHECK\nmeasure func=NONSENSE\n"},
		{Write: "/empty", Content: "# nothing\n"},
	}
	for _, tt := range tests {
		steps = append(steps, tt.step)
	}
	steps = append(steps, report, boot(ppc64le, "--policy", firmwarePolicy, "--require-measured"))
	r := runGuest(t, lab.Guest{CPUs: 1, Append: "rootfstype=tmpfs", Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: steps}, Files: policyFiles},
		{Kernel: own, Stage: script.Stage{Name: "2", Steps: []script.Step{report, verify}}},
	}})
	first, second := stage(t, r, "1"), stage(t, r, "2")
	checkRefusals(t, first, tests)
	first.Runs = nil
	checkArrived(t, &lab.Result{Stages: []*lab.Report{first, second}}, 2)
}

// TestPolicyFixed: Debian 6.1 accepts only one policy.
func TestPolicyFixed(t *testing.T) {
	t.Parallel()
	tests := []refused{
		{"first", load("--policy", firmwarePolicy, "--require-measured", lab.NextKernel), 0, "is measured: record"},
		{"the same", load("--policy", firmwarePolicy, lab.NextKernel), 0, "it is loaded already"},
		{"another", load("--policy", "/other", lab.NextKernel), 35, "policy is fixed"},
	}
	r := runGuest(t, lab.Guest{CPUs: 1, Append: "rootfstype=tmpfs", Stages: []lab.Stage{{
		Kernel: kernel(t, lab.Debian61), Stage: script.Stage{Name: "1", Steps: []script.Step{
			{Write: "/other", Content: "measure func=BPRM_CHECK\n"}, tests[0].step, tests[1].step, tests[2].step,
		}},
		Files: map[string]string{lab.NextKernel: kernel(t, lab.Own4k), firmwarePolicy: policyFiles[firmwarePolicy]},
	}}})
	checkRefusals(t, stage(t, r, "1"), tests)
}

// TestSwap: a file changes after it was measured and before it is loaded.
func TestSwap(t *testing.T) {
	t.Parallel()
	// This kernel has inotify, which tells the guest when to change the
	// file.
	stock, own := kernel(t, lab.Debian61), kernel(t, lab.Own4k)
	for _, name := range []string{lab.NextKernel, lab.NextInitrd} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// On a busy host the change may come too late. Then the
			// file that was measured is loaded.
			const tries = 5
			var steps []script.Step
			for range tries {
				steps = append(steps, script.Step{Swap: name}, load("--require-measured", "--initrd", lab.NextInitrd, lab.NextKernel))
			}
			r := runGuest(t, lab.Guest{CPUs: 2, Stages: []lab.Stage{
				{Kernel: stock, Stage: script.Stage{Name: "1", Steps: append(steps, report, verify)}},
				{Kernel: own, Stage: script.Stage{Name: "2"}},
			}})
			s := stage(t, r, "1")
			refused := 0
			for _, e := range s.Runs[:tries] {
				switch {
				case e.Exit == 37 && strings.Contains(e.Stderr, "the content of "+name+" is in no record"):
					refused++
				case e.Exit != 0:
					t.Errorf("exit code %d\n%s", e.Exit, e.Stderr)
				}
			}
			got, err := s.Lists[0].Check()
			if err != nil {
				t.Fatal(err)
			}
			if refused == 0 || len(s.Others) == 0 || s.Others[0].Event != "swapped" || got.Violations == 0 {
				t.Errorf("%d of %d loads were refused, events %v, %d violations", refused, tries, s.Others, got.Violations)
			}
		})
	}
}

// TestExecuteEvent: the kernel measures the jump itself, after imaboot has read
// the list. imaboot predicted that record, for either carrier.
func TestExecuteEvent(t *testing.T) {
	for _, tt := range []struct {
		name, append, flag string
	}{
		{"kernel", "ima_policy=critical_data", "--carry=kernel"},
		{"initramfs", "ima_policy=critical_data", "--carry=initramfs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			own := kernel(t, lab.Own4k)
			steps := append([]script.Step{{Measure: 5}}, joined...)
			r := runGuest(t, lab.Guest{CPUs: 1, Append: tt.append, Stages: []lab.Stage{
				{Kernel: own, Stage: script.Stage{Name: "1", Steps: append(steps[:3:3], boot(ppc64le, tt.flag))}},
				{Kernel: own, Stage: script.Stage{Name: "2", Steps: append(append([]script.Step{verify}, joined...), boot(ppc64le, tt.flag, "--command-line", lab.Cmdline(ppc64le)+" "+tt.append))}},
				{Kernel: own, Stage: script.Stage{Name: "3", Steps: append([]script.Step{verify}, joined...)}},
			}})
			checkArrived(t, r, 3)
			last := r.Stages[2].Lists[0]
			if n := bytes.Count(last.Data, []byte("kexec_execute\x00")); n != 1 {
				t.Errorf("%d records of kexec_execute, want 1", n)
			}
		})
	}
}

// TestExecuteEventRefused: a rule gives the event another template.
func TestExecuteEventRefused(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	tests := []refused{{"another template", load("--policy", "/critical", lab.NextKernel), 38, "cannot be predicted"}}
	r := runGuest(t, lab.Guest{CPUs: 1, Stages: []lab.Stage{{
		Kernel: own, Files: map[string]string{lab.NextKernel: own}, Stage: script.Stage{Name: "1", Steps: []script.Step{
			{Write: "/critical", Content: "measure func=CRITICAL_DATA label=ima_kexec template=ima-ng\n"}, tests[0].step,
		}},
	}}})
	checkRefusals(t, stage(t, r, "1"), tests)
}
