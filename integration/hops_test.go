// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// TestHops carries the list through chains of kernels, on machines of different
// sizes and topologies.
func TestHops(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kernels []string
		records int // measured by each stage but the last
		guest   lab.Guest
	}{
		{name: "own to own", kernels: []string{lab.Own4k, lab.Own4k}, records: 10, guest: lab.Guest{CPUs: 2}},
		{name: "two hops", kernels: []string{lab.Debian61, lab.Own4k, lab.Own4k}, records: 10, guest: lab.Guest{CPUs: 1}},
		{name: "three hops", kernels: []string{lab.Debian61, lab.Own64k, lab.Own4k, lab.Own64k}, records: 1000, guest: lab.Guest{CPUs: 4}},
		{name: "4 KiB to 64 KiB pages", kernels: []string{lab.Own4k, lab.Own64k}, records: 10, guest: lab.Guest{Memory: "1G", CPUs: 1}},
		{name: "8 GiB in two nodes", kernels: []string{lab.Debian61, lab.Own4k}, records: 10, guest: lab.Guest{Memory: "8G", Nodes: 2, CPUs: 4}},
		{name: "memory that can be added to", kernels: []string{lab.Debian61, lab.Own4k}, records: 10, guest: lab.Guest{Memory: "2G,slots=4,maxmem=8G", CPUs: 2}},
		{name: "hash page tables", kernels: []string{lab.Debian61, lab.Own4k}, records: 10, guest: lab.Guest{CPUs: 2, Append: "disable_radix"}},
		{name: "20000 records", kernels: []string{lab.Debian61, lab.Own4k}, records: 20000, guest: lab.Guest{CPUs: 2, Timeout: 20 * time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := tt.guest
			for i, k := range tt.kernels {
				s := lab.Stage{Kernel: kernel(t, k), Stage: script.Stage{Name: fmt.Sprint(i + 1)}}
				if i > 0 {
					s.Steps = append(s.Steps, verify)
				}
				if i+1 < len(tt.kernels) {
					s.Steps = append(s.Steps, script.Step{Measure: tt.records}, report, boot(ppc64le))
				} else {
					s.Steps = append(s.Steps, script.Step{Measure: 10}, report)
				}
				g.Stages = append(g.Stages, s)
			}
			r := runGuest(t, g)
			checkArrived(t, r, len(tt.kernels))
			checkCPUs(t, r, g.CPUs)
		})
	}
}

// TestGivenTree boots with the device tree that the running kernel itself got
// from a kexec. The tree still names the place of the old list.
func TestGivenTree(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	r := runGuest(t, lab.Guest{CPUs: 2, Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: []script.Step{{Measure: 5}, report, boot(ppc64le)}}},
		{Kernel: own, Stage: script.Stage{Name: "2", Steps: []script.Step{report, boot(ppc64le, "--dtb", "/sys/firmware/fdt")}}},
		{Kernel: own, Stage: script.Stage{Name: "3", Steps: []script.Step{verify, report}}},
	}})
	checkArrived(t, r, 3)
}

// TestLoadAndExec separates the steps: exec loads again what was loaded, with the
// list as it is then, and jumps to it.
func TestLoadAndExec(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	load := boot(ppc64le)
	load.Run[1], load.Show = "load", false
	exec := script.Step{Run: []string{"/bin/imaboot", "exec"}, Show: true}
	r := runGuest(t, lab.Guest{CPUs: 1, Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: []script.Step{report, load, exec}}},
		{Kernel: own, Stage: script.Stage{Name: "2", Steps: []script.Step{verify, load, {Measure: 5}, report, exec}}},
		{Kernel: own, Stage: script.Stage{Name: "3", Steps: []script.Step{verify, report}}},
	}})
	checkArrived(t, r, 3)
	if n := strings.Count(r.Console, "what load has loaded is loaded again"); n != 2 {
		t.Errorf("%d loads were repeated, want 2", n)
	}
}

// TestPowerNV boots on bare metal without a TPM to compare with. The list
// arrives, and all CPUs come back.
func TestPowerNV(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.Own4k)
	r := runGuest(t, lab.Guest{PowerNV: true, Memory: "4G", CPUs: 2, Stages: []lab.Stage{
		{Kernel: own, Stage: script.Stage{Name: "1", Steps: []script.Step{report, boot(ppc64le)}}},
		{Kernel: own, Stage: script.Stage{Name: "2", Steps: []script.Step{report, verify}}},
	}})
	first, second := stage(t, r, "1"), stage(t, r, "2")
	if len(first.Lists) == 0 || len(second.Lists) == 0 {
		t.Fatal("no lists")
	}
	got, err := second.Lists[0].Check()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Hops) != 2 {
		t.Errorf("%d hops, want 2", len(got.Hops))
	}
	if second.Start.CPUs != first.Start.CPUs {
		t.Errorf("%d CPUs came back of %d", second.Start.CPUs, first.Start.CPUs)
	}
	if e := ran(t, second, "verify"); e.Exit != 20 {
		t.Errorf("verify: exit code %d, want 20\n%s", e.Exit, e.Stderr)
	}
}
