// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/handover"
)

// TestQuiet jumps from kernel to kernel while another process measures files as
// fast as it can. imaboot stops it before each jump. Every list arrives whole,
// and every kernel finds its TPM alive.
func TestQuiet(t *testing.T) {
	for _, tt := range []struct {
		arch, kernel string
		jumps        int
		// delay is the time between two files on the architecture whose
		// guests have no TPM, which would slow this down: lists get too
		// long for an emulator otherwise.
		delay   int
		timeout time.Duration
	}{
		{ppc64le, lab.Own4k, 3, 0, 0},
		{s390x, lab.OwnS390X, 3, 0, 0},
		{ppc64le, lab.Own4k, 50, 0, time.Hour},
		{s390x, lab.OwnS390X, 50, 2, time.Hour},
	} {
		t.Run(fmt.Sprintf("%s %d jumps", tt.arch, tt.jumps), func(t *testing.T) {
			t.Parallel()
			own := kernel(t, tt.kernel)
			jumps := &script.Jumps{Kernel: lab.NextKernel, Cmdline: lab.Cmdline(tt.arch), Verify: proven(tt.arch).Run[2:], Count: tt.jumps, DelayMS: tt.delay}
			r := runGuest(t, lab.Guest{Arch: tt.arch, CPUs: 2, Timeout: tt.timeout, Stages: []lab.Stage{{
				Kernel: own, Files: map[string]string{lab.NextKernel: own},
				Stage: script.Stage{Name: "1", Steps: []script.Step{{Jumps: jumps}}},
			}}})
			s := stage(t, r, "1")
			checkJumps(t, s, tt.jumps)
			if n := strings.Count(r.Console, "other processes are stopped: "); n < tt.jumps {
				t.Errorf("other processes were stopped %d times, want at least %d", n, tt.jumps)
			}
			if len(s.Lists) != 1 {
				t.Fatalf("%d lists, want 1", len(s.Lists))
			}
			checkChain(t, s.Lists[0], tt.jumps, s.Start.TPM)
		})
	}
}

// checkJumps: each kernel reported, and every command succeeded in each.
func checkJumps(t *testing.T, s *lab.Report, jumps int) {
	t.Helper()
	next := 0
	for _, e := range s.Others {
		if e.Event != "jumped" {
			continue
		}
		if e.Count != next {
			t.Errorf("kernel %d reported, want %d", e.Count, next)
		}
		next++
	}
	if next != jumps+1 {
		t.Errorf("%d kernels reported, want %d", next, jumps+1)
	}
	for _, e := range s.Runs {
		if e.Exit != 0 {
			t.Errorf("%v: exit code %d\n%s", e.Argv, e.Exit, e.Stderr)
		}
	}
	// One verify in each kernel, and one load.
	if n := len(s.Runs); n != jumps+2 {
		t.Errorf("%d commands reported, want %d", n, jumps+2)
	}
}

// measuredFile is the name of a file that was measured beside imaboot.
var measuredFile = regexp.MustCompile(regexp.QuoteMeta(script.MeasuredDir) + `/(\d+)/(\d+)\x00`)

// checkChain: the list has one hop for each kernel. Of the files that were
// measured while a kernel ran, none is missing between the first and the last.
func checkChain(t *testing.T, l lab.List, jumps int, tpm bool) {
	t.Helper()
	got, err := l.Check()
	if err != nil {
		t.Fatal(err)
	}
	want := handover.NoTPM
	if tpm {
		want = handover.Match
	}
	if got.Verdict != want || len(got.Hops) != jumps+1 {
		t.Errorf("%d hops, want %d: %s", len(got.Hops), jumps+1, got.Text)
	}
	list, err := handover.Parse(l.Data)
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]int, jumps) // files of each kernel but the last
	for r := range list.All {
		m := measuredFile.FindSubmatch(r.Data)
		if m == nil {
			continue
		}
		k, err := strconv.Atoi(string(m[1]))
		if err != nil || k >= jumps {
			t.Fatalf("record %d: %q", r.Number, m[0])
		}
		if string(m[2]) != strconv.Itoa(seen[k]) {
			t.Fatalf("record %d: %q, but file %d has to follow", r.Number, m[0], seen[k])
		}
		seen[k]++
	}
	for k, n := range seen {
		if n == 0 {
			t.Errorf("kernel %d measured nothing beside imaboot", k)
		}
	}
	t.Logf("%d records in %d hops, %s; measured beside imaboot: %v", got.Records, len(got.Hops), got.Text, seen)
}
