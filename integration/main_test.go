// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package integration boots guests and checks what arrives in them.
package integration

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/integration/suite"
	"github.com/imaboot/imaboot/pkg/handover"
)

var (
	theLab *lab.Lab
	// kernels are the names of the kernels that tests may use.
	kernels []string
)

// TestMain opens the lab. If no guests are asked for, it runs no tests. A guest
// test passes or fails; it is never skipped.
func TestMain(m *testing.M) {
	switch os.Getenv(lab.Variable) {
	case lab.Gate:
		kernels = lab.FewKernels()
	case lab.Whole:
		kernels = lab.Kernels()
	default:
		fmt.Println("integration: no guests: use ./run test, or set IMABOOT_LAB=require")
		os.Exit(0)
	}
	l, err := lab.New(os.Stderr)
	if err == nil {
		err = l.PrepareSuite(context.Background(), kernels...)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "integration: %v\n", err)
		os.Exit(1)
	}
	theLab = l
	code := m.Run()
	_ = l.Close()
	os.Exit(code)
}

// kernel returns the path of one of the lab's kernels.
func kernel(t *testing.T, name string) string {
	t.Helper()
	if !slices.Contains(kernels, name) {
		t.Fatalf("%s is only built for ./run test --all: name this test in integration/suite/rows.go", name)
	}
	path, err := theLab.Kernel(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Architectures of the guests.
const (
	ppc64le = "ppc64le"
	s390x   = "s390x"
)

// Steps that most stages need.
var (
	verify = script.Step{Run: []string{"/bin/imaboot", "verify"}}
	report = script.Step{List: true}
)

// joined reports the whole list: the part that came as a file and the kernel's
// own part.
var joined = []script.Step{
	{Run: []string{"/bin/imaboot", "list", "--output", "/joined"}},
	{List: true, From: "/joined"},
}

// boot returns the step that jumps to the next stage.
func boot(arch string, flags ...string) script.Step {
	argv := []string{"/bin/imaboot", "boot", "--initrd", lab.NextInitrd, "--command-line", lab.Cmdline(arch)}
	return script.Step{Run: append(append(argv, flags...), lab.NextKernel), Show: true}
}

// runGuest runs a guest. If it fails, the test fails with the guest's console.
func runGuest(t *testing.T, g lab.Guest) *lab.Result {
	t.Helper()
	if g.Arch == "" {
		g.Arch = ppc64le
	}
	start := time.Now()
	r, err := theLab.Run(t.Context(), g)
	t.Log(suite.GuestLine(g.Arch, time.Since(start), releases(r)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// releases returns the releases of the kernels that reported, each only once.
func releases(r *lab.Result) []string {
	var names []string
	if r == nil {
		return nil
	}
	for _, s := range r.Stages {
		// The line is "Linux version RELEASE (...".
		f := strings.Fields(s.Start.Kernel)
		if len(f) > 2 && !slices.Contains(names, f[2]) {
			names = append(names, f[2])
		}
	}
	return names
}

func stage(t *testing.T, r *lab.Result, name string) *lab.Report {
	t.Helper()
	s, err := r.Stage(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ran returns the report of the command with this subcommand.
func ran(t *testing.T, s *lab.Report, command string) script.Event {
	t.Helper()
	i := slices.IndexFunc(s.Runs, func(e script.Event) bool { return len(e.Argv) > 1 && e.Argv[1] == command })
	if i < 0 {
		t.Fatalf("stage %s: %s did not run", s.Name, command)
	}
	return s.Runs[i]
}

// checkCPUs expects that each stage has all CPUs of the guest.
func checkCPUs(t *testing.T, r *lab.Result, want int) {
	t.Helper()
	for _, s := range r.Stages {
		if s.Start.CPUs != want {
			t.Errorf("stage %s has %d CPUs, want %d", s.Name, s.Start.CPUs, want)
		}
	}
}

// checkArrived compares what the stages reported. Each list begins with the
// bytes of the previous one, has one more hop, and replays to PCR 10 in all
// banks. evmctl has to agree.
func checkArrived(t *testing.T, r *lab.Result, stages int) {
	t.Helper()
	if len(r.Stages) != stages {
		t.Fatalf("%d stages reported, want %d:\n%s", len(r.Stages), stages, r.Console)
	}
	var before []byte
	for i, s := range r.Stages {
		if len(s.Lists) == 0 {
			t.Fatalf("stage %s reported no list", s.Name)
		}
		l := s.Lists[len(s.Lists)-1]
		if !bytes.HasPrefix(l.Data, before) {
			t.Errorf("stage %s: the list does not begin with that of the stage before", s.Name)
		}
		before = l.Data
		got, err := l.Check()
		if err != nil {
			t.Fatalf("stage %s: %v", s.Name, err)
		}
		t.Logf("stage %s (%d CPUs, %d KiB pages): %d records in %d hops, %s", s.Name, s.Start.CPUs, s.Start.PageSize>>10, got.Records, len(got.Hops), got.Text)
		want, banks := handover.Match, 4
		if !s.Start.TPM && r.TPM {
			t.Errorf("stage %s: its kernel finds no TPM", s.Name)
		}
		if !s.Start.TPM {
			want, banks = handover.NoTPM, 0
		}
		if got.Verdict != want || len(got.Banks) != banks {
			t.Errorf("stage %s: %s in %d banks", s.Name, got.Text, len(got.Banks))
		}
		if len(l.PCRs) > 0 {
			checkEvmctl(t, l)
		}
		if len(got.Hops) != i+1 {
			t.Errorf("stage %s: %d hops, want %d", s.Name, len(got.Hops), i+1)
		}
		for _, e := range s.Runs {
			if e.Exit != 0 {
				t.Errorf("stage %s: %v: exit code %d\n%s", s.Name, e.Argv, e.Exit, e.Stderr)
			}
		}
	}
}
