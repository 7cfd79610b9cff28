// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// BenchmarkLoad loads the same files in the same guest with imaboot and with
// Debian's kexec-tools, which carries no list.
func BenchmarkLoad(b *testing.B) {
	if theLab == nil {
		b.Skip("IMABOOT_LAB is not set")
	}
	own, err := theLab.Kernel(b.Context(), lab.Own4k)
	if err != nil {
		b.Fatal(err)
	}
	files, err := theLab.KexecTools(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	initrd := filepath.Join(b.TempDir(), "initrd")
	if err := os.WriteFile(initrd, make([]byte, 16<<20), 0o600); err != nil {
		b.Fatal(err)
	}
	maps.Copy(files, map[string]string{lab.NextKernel: own, lab.NextInitrd: initrd})
	var steps []script.Step
	const rounds = 5
	for range rounds {
		steps = append(steps,
			script.Step{Run: []string{"/sbin/kexec", "-l", "--initrd", lab.NextInitrd, "--command-line", lab.Cmdline(ppc64le), lab.NextKernel}},
			script.Step{Run: []string{"/sbin/kexec", "-u"}},
			script.Step{Run: []string{"/bin/imaboot", "load", "--initrd", lab.NextInitrd, "--command-line", lab.Cmdline(ppc64le), lab.NextKernel}},
			script.Step{Run: []string{"/bin/imaboot", "unload"}},
		)
	}
	for b.Loop() {
		r, err := theLab.Run(b.Context(), lab.Guest{Arch: ppc64le, CPUs: 2, Stages: []lab.Stage{
			{Kernel: own, Files: files, Stage: script.Stage{Name: "1", Steps: steps}},
		}})
		if err != nil {
			b.Fatal(err)
		}
		best := map[string]float64{}
		for _, e := range r.Stages[0].Runs {
			if e.Exit != 0 {
				b.Fatalf("%v: exit code %d\n%s", e.Argv, e.Exit, e.Stderr)
			}
			name := filepath.Base(e.Argv[0]) + " " + e.Argv[1]
			if t, ok := best[name]; !ok || e.Seconds < t {
				best[name] = e.Seconds
			}
		}
		b.ReportMetric(best["imaboot load"]*1000, "imaboot-ms")
		b.ReportMetric(best["kexec -l"]*1000, "kexec-ms")
	}
}
