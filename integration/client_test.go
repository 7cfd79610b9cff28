// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// TestClient boots a guest of each architecture with a program other than
// imaboot: it uses u-root's menu, and an entry of package carry.
func TestClient(t *testing.T) {
	for _, tt := range []struct{ arch, first, second string }{
		{ppc64le, lab.Debian61, lab.Own4k},
		{s390x, lab.Debian61S390X, lab.OwnS390X},
	} {
		t.Run(tt.arch, func(t *testing.T) {
			t.Parallel()
			const client = "/bin/client"
			step := script.Step{Run: []string{client, lab.NextKernel, lab.NextInitrd, lab.Cmdline(tt.arch)}, Show: true}
			r := runGuest(t, lab.Guest{Arch: tt.arch, CPUs: 1, Stages: []lab.Stage{
				{
					Kernel: kernel(t, tt.first), Files: map[string]string{client: buildFor(t, tt.arch, "./client")},
					Stage: script.Stage{Name: "1", Steps: []script.Step{{Measure: 10}, report, step}},
				},
				{Kernel: kernel(t, tt.second), Stage: script.Stage{Name: "2", Steps: []script.Step{proven(tt.arch), report}}},
			}})
			checkArrived(t, r, 2)
		})
	}
}

// buildFor builds a program of this directory for a guest, and returns its
// path.
func buildFor(t *testing.T, goarch, program string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), filepath.Base(program))
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+goarch)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, b)
	}
	return out
}
