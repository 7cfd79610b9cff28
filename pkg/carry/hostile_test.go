// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/internal/hostile"
	"github.com/imaboot/imaboot/pkg/budget"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// hostileVariable tells the test's child what to do.
const hostileVariable = "IMABOOT_TEST_HOSTILE"

// hostileMachines are the machines of the children: how much memory they say that
// they have. Each can have far less.
var hostileMachines = map[string]struct {
	meminfo string
	memory  *budget.Memory
}{
	"256 MiB":                    {"MemTotal: 248432 kB\nMemAvailable: 200000 kB\n", nil},
	"64 GiB, limited":            {"MemTotal: 67108864 kB\nMemAvailable: 66000000 kB\n", nil},
	"64 GiB, says the library's": {"", budget.New(64 << 30)},
}

// TestHostileFiles opens files that ask for more memory than the process can have.
// The runtime would end the process if it tried to allocate it, so that this runs
// in a child.
func TestHostileFiles(t *testing.T) {
	if name := os.Getenv(hostileVariable); name != "" {
		hostileChild(t, name)
		return
	}
	for name := range hostileMachines {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestHostileFiles$", "-test.v")
			c.Env = append(os.Environ(), hostileVariable+"="+name)
			out, err := c.CombinedOutput()
			if errors.Is(err, unix.ENOEXEC) {
				t.Skip("a program that is emulated cannot start itself")
			}
			if err != nil || bytes.Contains(out, []byte("fatal error")) || !bytes.Contains(out, []byte("all are refused")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func hostileChild(t *testing.T, name string) {
	m := newMachine(t)
	fileroot.Add(t, m.root, map[string]string{"proc/meminfo": hostileMachines[name].meminfo})
	dir := t.TempDir()
	add := func(files []hostile.File, edit func(*Target, string)) (all []func()) {
		for _, f := range files {
			path := filepath.Join(dir, f.Name)
			if err := f.Write(path); err != nil {
				t.Fatal(err)
			}
			memory := hostileMachines[name].memory
			slow := f.Name == "xz-bomb" || f.Name == "gzip-bomb"
			for _, hashed := range []bool{false, true} {
				if !hashed && !slow || name == "256 MiB" && hashed != slow {
					all = append(all, func() { m.refuses(f, hashed, memory, func(t *Target) { edit(t, path) }) })
				}
			}
		}
		return all
	}
	tries := add(hostile.Kernels(), func(t *Target, name string) { t.Kernel = name })
	tries = append(tries, add(hostile.Trees(), func(t *Target, name string) { t.DeviceTree = name })...)
	tries = append(tries, add(hostile.Initrds(), func(t *Target, name string) { t.Initrds = []string{name} })...)
	for _, f := range hostile.Initrds() {
		f.Refusal = string(refusal.TooLarge)
		tries = append(tries, add([]hostile.File{f}, func(t *Target, name string) {
			for t.Initrds = nil; len(t.Initrds) < 64; {
				t.Initrds = append(t.Initrds, name)
			}
		})...)
	}
	limitAddresses(t, 400<<20)
	for _, try := range tries {
		try()
	}
	if !t.Failed() {
		fmt.Println("all are refused")
	}
}

// limitAddresses does what ulimit -v does, for more addresses than are in use.
func limitAddresses(t *testing.T, more uint64) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmSize:")
	var kib uint64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	limit := kib<<10 + more
	if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
}

// busy is the time that the process has spent on a CPU.
func busy(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// refuses opens a target with a hostile file, and then one without: nothing of the
// memory may be lost.
func (m *machine) refuses(f hostile.File, hashed bool, memory *budget.Memory, edit func(*Target)) {
	m.t.Helper()
	o := m.options()
	o.Log = nil
	if o.Memory = memory; memory == nil {
		o.Memory = budget.Machine(m.root)
	}
	good := o
	o.RequireMeasured = hashed
	target := m.target()
	edit(&target)
	start := busy(m.t)
	j, err := Open(m.t.Context(), target, o)
	if d := busy(m.t) - start; d > 60*time.Second {
		m.t.Errorf("%s: took %v", f.Name, d)
	}
	if err == nil {
		err = j.Close()
	}
	if string(refusal.Of(err)) != f.Refusal || errors.Is(err, refusal.ErrInternal) {
		m.t.Errorf("%s: %v, want %q", f.Name, err, f.Refusal)
	}
	if f.Refusal == string(refusal.TooLarge) && !strings.Contains(err.Error(), f.Name) {
		m.t.Errorf("%v: it does not name %s", err, f.Name)
	}
	if o.Memory.Left() != o.Memory.Limit() {
		m.t.Errorf("%s: %d of %d bytes are left", f.Name, o.Memory.Left(), o.Memory.Limit())
	}
	if j, err = Open(m.t.Context(), m.target(), good); err != nil {
		m.t.Errorf("after %s: %v", f.Name, err)
		return
	}
	if err := j.Close(); err != nil {
		m.t.Error(err)
	}
}
