// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package quiesce

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Programs of the shell, each of which appends to the file $0 for as long as it
// runs.
const (
	write     = `while :; do printf . >>"$0"; done`
	fork      = `while :; do (printf . >>"$0"); done`
	stopFirst = `kill -STOP $$; ` + write
)

// start starts a child that lives as long as the test at most.
func start(t *testing.T, program string) (pid int, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "file")
	cmd := exec.Command("sh", "-c", program, file)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // also a stopped one ends by it
		_ = cmd.Wait()
	})
	return cmd.Process.Pid, file
}

// mine reports whether a process is a child of the test, or a child of one.
func mine(pid int) bool {
	for n := 0; pid > 1 && n < 10; n++ {
		p, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return false
		}
		if pid = p.parent; pid == os.Getpid() {
			return true
		}
	}
	return false
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// TestProcesses stops real processes: one that writes, one that starts others,
// and one that was stopped before. Nothing but children of the test is stopped.
func TestProcesses(t *testing.T) {
	// Children end with the thread that started them.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	writer, written := start(t, write)
	forker, forked := start(t, fork)
	before, untouched := start(t, stopFirst)
	state := func(pid int) state {
		p, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		return p.state
	}
	grown := func(file string, from int64) func() bool { return func() bool { return size(t, file) > from } }
	await(t, "a child stops itself", func() bool { return state(before) == still })
	await(t, "the writer", grown(written, 0))
	await(t, "the forker", grown(forked, 0))

	o := All("/")
	o.Only = mine
	for round := range 5 {
		s, err := o.Stop(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		atFirst := []int64{size(t, written), size(t, forked)}
		if round == 0 {
			time.Sleep(200 * time.Millisecond)
		}
		if state(writer) != still || s.Count() < 2 || !s.Held() {
			t.Errorf("round %d: %d processes are stopped", round, s.Count())
		}
		if size(t, written) != atFirst[0] || size(t, forked) != atFirst[1] {
			t.Errorf("round %d: something was written", round)
		}
		s.Continue()
		await(t, "the writer goes on", grown(written, atFirst[0]))
		await(t, "the forker goes on", grown(forked, atFirst[1]))
	}
	if state(before) != still || size(t, untouched) != 0 {
		t.Error("a process that was stopped before runs")
	}
	if err := unix.Kill(forker, 0); err != nil {
		t.Errorf("the forker: %v", err)
	}
}

// TestList reads the processes of this machine, and stops none.
func TestList(t *testing.T) {
	all, err := All("/").list()
	if err != nil {
		t.Fatal(err)
	}
	place := map[int]int{}
	for i, p := range all {
		if p.pid == 1 || p.pid == os.Getpid() || p.kernel || len(p.awake) == 0 && p.state != still {
			t.Errorf("%+v", p)
		}
		place[p.pid] = i
	}
	for i, p := range all {
		if parent, ok := place[p.parent]; ok && parent > i {
			t.Errorf("process %d comes before its parent %d", p.pid, p.parent)
		}
	}
}

// TestGuard: signals that would end or stop the process do not, while it is
// guarded.
func TestGuard(t *testing.T) {
	ctx, done := Guard(t.Context())
	defer done()
	for _, s := range []unix.Signal{unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGPIPE} {
		if err := unix.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(10 * time.Millisecond)
	if err := ctx.Err(); err != nil {
		t.Fatalf("a signal to stop ended it: %v", err)
	}
	if err := unix.Kill(os.Getpid(), unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		t.Error("SIGTERM does not end the context")
	}
}
