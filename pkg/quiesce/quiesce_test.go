// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package quiesce

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

// A world is a proc, and what its processes do with signals.
type world struct {
	t    *testing.T
	root string
	// got are the signals, in order.
	got []string
	// onStop is what a SIGSTOP does; nil stops every thread.
	onStop func(pid int) error
}

const self = 100

// newWorld has the caller, process 1, and kernel threads.
func newWorld(t *testing.T) *world {
	w := &world{t: t, root: t.TempDir()}
	w.process(1, 0, "S")
	w.set(2, 2, 0, 'S', kernelThread)
	w.set(3, 3, 2, 'R', kernelThread|0x40)
	w.process(self, 10, "RSS")
	w.traced(0)
	if err := os.Symlink(fmt.Sprint(self), filepath.Join(w.root, "proc/self")); err != nil {
		t.Fatal(err)
	}
	return w
}

// traced gives the caller a tracer.
func (w *world) traced(by int) {
	w.t.Helper()
	fileroot.Add(w.t, w.root, map[string]string{fmt.Sprintf("proc/%d/status", self): fmt.Sprintf("Name:\ta\nTracerPid:\t%d\nUid:\t0\n", by)})
}

// process makes a process with one thread for each letter.
func (w *world) process(pid, parent int, states string) {
	w.t.Helper()
	for i, letter := range states {
		w.set(pid, pid+i*1000, parent, letter, 0x400000)
	}
}

func (w *world) set(pid, thread, parent int, letter rune, flags int) {
	w.t.Helper()
	stat := fmt.Sprintf("%d (a b) c) %c %d 1 1 0 -1 %d 0\n", thread, letter, parent, flags)
	files := map[string]string{fmt.Sprintf("proc/%d/task/%d/stat", pid, thread): stat}
	if thread == pid {
		files[fmt.Sprintf("proc/%d/stat", pid)] = stat
	}
	fileroot.Add(w.t, w.root, files)
}

// become puts all threads of a process into a state.
func (w *world) become(pid int, letter rune) {
	w.t.Helper()
	threads, err := os.ReadDir(filepath.Join(w.root, "proc", fmt.Sprint(pid), "task"))
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := readStat(filepath.Join(w.root, "proc", fmt.Sprint(pid), "stat"))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range threads {
		w.set(pid, pid+i*1000, p.parent, letter, 0)
	}
}

func (w *world) signal(pid, thread int, s unix.Signal) error {
	got := fmt.Sprintf("%s %d", strings.TrimPrefix(unix.SignalName(s), "SIG"), pid)
	if thread != 0 && thread != pid {
		got += fmt.Sprintf("/%d", thread/1000)
	}
	w.got = append(w.got, got)
	if s == unix.SIGCONT {
		if _, err := os.Stat(filepath.Join(w.root, "proc", fmt.Sprint(pid))); err != nil {
			return unix.ESRCH
		}
		w.become(pid, 'S')
		return nil
	}
	if w.onStop != nil {
		return w.onStop(pid)
	}
	w.become(pid, 'T')
	return nil
}

func (w *world) others() *Others {
	return &Others{Proc: filepath.Join(w.root, "proc"), Self: self, Signal: w.signal}
}

// TestStop: each process that runs is stopped, parents first, and continues in
// the reverse order. So does each after an error.
func TestStop(t *testing.T) {
	for _, tt := range []struct {
		name  string
		world func(w *world, cancel func())
		want  string // the signals of Stop
		err   string
		// takes is how long Stop takes at least, and less than twice that.
		takes time.Duration
	}{
		{name: "nobody else", takes: 2 * pace},
		{
			name: "a shell, its child with a lower number, and others", want: "STOP 10 STOP 5/1 STOP 5/2 STOP 5", takes: 3 * pace,
			world: func(w *world, _ func()) {
				w.process(10, 1, "S")
				w.process(5, 10, "RSD")
				w.process(11, 10, "T")
				w.process(12, 10, "tt")
				w.process(13, 10, "Z")
			},
		},
		{
			name: "its first thread has ended, another runs", want: "STOP 10/1", takes: 3 * pace,
			world: func(w *world, _ func()) { w.process(10, 1, "ZR") },
		},
		{
			name: "one thread is not stopped yet", want: "STOP 10 STOP 10/1 STOP 10/2 STOP 10/2", takes: 4 * pace,
			world: func(w *world, _ func()) {
				w.process(10, 1, "SSS")
				w.onStop = func(pid int) error {
					w.process(pid, 1, []string{"TTR", "TTR", "TTR", "TTT"}[len(w.got)-1])
					return nil
				}
			},
		},
		{
			name: "it starts another one before it stops", want: "STOP 10 STOP 20 STOP 21", takes: 5 * pace,
			world: func(w *world, _ func()) {
				w.process(10, 1, "R")
				w.onStop = func(pid int) error {
					w.become(pid, 'T')
					if n := len(w.got); n < 3 {
						w.process(19+n, pid, "R")
					}
					return nil
				}
			},
		},
		{
			name: "it measures a file from a disk", want: "STOP 10", takes: time.Second,
			world: func(w *world, _ func()) {
				w.process(10, 1, "D")
				w.onStop = func(pid int) error {
					time.AfterFunc(time.Second+pace/2, func() { w.become(pid, 'T') })
					return nil
				}
			},
		},
		{
			name: "it waits in the kernel for ever", want: "STOP 10 STOP 11", takes: patience,
			world: func(w *world, _ func()) {
				w.process(10, 1, "D")
				w.process(11, 1, "S")
				w.onStop = func(int) error { return nil }
			},
		},
		{
			name: "somebody continues one while another is waited for", want: "STOP 10 STOP 11 STOP 10", takes: time.Second,
			world: func(w *world, _ func()) {
				w.process(10, 1, "S")
				w.process(11, 1, "D")
				w.onStop = func(pid int) error {
					if pid == 10 {
						w.become(pid, 'T')
						return nil
					}
					time.AfterFunc(time.Second/2+pace/2, func() { w.become(10, 'S') })
					time.AfterFunc(time.Second+pace/2, func() { w.become(pid, 'T') })
					return nil
				}
			},
		},
		{
			name: "it has ended meanwhile", want: "STOP 10", takes: 3 * pace,
			world: func(w *world, _ func()) {
				w.process(10, 1, "R")
				w.onStop = func(int) error {
					_ = os.RemoveAll(filepath.Join(w.root, "proc/10"))
					return unix.ESRCH
				}
			},
		},
		{
			name: "one must not be stopped", want: "STOP 10 STOP 11", err: "stop process 11: operation not permitted",
			world: func(w *world, _ func()) {
				w.process(10, 1, "S")
				w.process(11, 10, "S")
				w.onStop = func(pid int) error {
					if pid == 11 {
						return unix.EPERM
					}
					w.become(pid, 'T')
					return nil
				}
			},
		},
		{
			name: "it does not stop", err: "some still run after 10s", takes: attempt,
			world: func(w *world, _ func()) {
				w.process(10, 1, "R")
				w.onStop = func(int) error { return nil }
			},
		},
		{
			name: "the context ends", want: "STOP 10", err: "context canceled", takes: 0,
			world: func(w *world, cancel func()) {
				w.process(10, 1, "R")
				w.onStop = func(int) error { cancel(); return nil }
			},
		},
		{
			name: "numbers of another namespace", err: "another PID namespace",
			world: func(w *world, _ func()) {
				w.process(10, 1, "R")
				name := filepath.Join(w.root, "proc/self")
				if err := errors.Join(os.Remove(name), os.Symlink("7", name)); err != nil {
					w.t.Fatal(err)
				}
			},
		},
		{
			name: "the caller is traced", err: "would stop with its tracer",
			world: func(w *world, _ func()) {
				w.process(10, 1, "S")
				w.traced(10)
			},
		},
		{
			name: "a format of later kernels", err: "proc/10/stat: not in the format of proc",
			world: func(w *world, _ func()) { fileroot.Add(w.t, w.root, map[string]string{"proc/10/stat": "10 (a) new"}) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.world != nil {
					tt.world(w, cancel)
				}
				began := time.Now()
				s, err := w.others().Stop(ctx)
				if took := time.Since(began); took < tt.takes || took > 2*tt.takes {
					t.Errorf("it took %v, want %v", took, tt.takes)
				}
				if tt.err != "" {
					if err == nil || !strings.Contains(err.Error(), tt.err) {
						t.Errorf("error %v, want %q", err, tt.err)
					}
					w.checkContinued(0)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(w.got, " "); got != tt.want || !s.Held() {
					t.Errorf("signals %q, want %q; held: %v", got, tt.want, s.Held())
				}
				n := len(w.got)
				s.Continue()
				s.Continue()
				w.checkContinued(n)
				if s.Held() {
					t.Error("it still holds them")
				}
			})
		})
	}
}

// checkContinued: behind the first n signals, or anywhere if n is 0, each
// process that was stopped continues once, the last one first.
func (w *world) checkContinued(n int) {
	w.t.Helper()
	var stopped, continued []string
	for i, s := range w.got {
		name, pid, _ := strings.Cut(s, " ")
		pid, _, _ = strings.Cut(pid, "/")
		switch {
		case name == "CONT" && i >= n:
			continued = append(continued, pid)
		case name == "STOP" && !slices.Contains(stopped, pid):
			stopped = append(stopped, pid)
		}
	}
	slices.Reverse(continued)
	if !slices.Equal(stopped, continued) {
		w.t.Errorf("stopped %v, continued %v", stopped, continued)
	}
}

// TestLimit: processes that the caller may need do not stay stopped for ever.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.process(10, 1, "R")
		s, err := w.others().Stop(t.Context())
		if err != nil || s.Count() != 1 {
			t.Fatalf("%v, error %v", s, err)
		}
		time.Sleep(limit - time.Second)
		synctest.Wait()
		if n := len(w.got); n != 1 || !s.Held() {
			t.Errorf("they continued early: %d signals", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s.Held() {
			t.Error("they are stopped for ever")
		}
		w.checkContinued(1)
	})
}

// TestPanic: a fault leaves nobody stopped.
func TestPanic(t *testing.T) {
	w := newWorld(t)
	w.process(10, 1, "R")
	w.process(11, 1, "R")
	w.onStop = func(pid int) error {
		if pid == 11 {
			panic("fault")
		}
		return nil
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
		w.checkContinued(0)
	}()
	_, _ = w.others().Stop(t.Context())
}

func FuzzParseStat(f *testing.F) {
	for _, s := range []string{
		"1 (systemd) S 0 1 1 0 -1 4194560 1", "2 (kthreadd) S 0 0 0 0 -1 2129984 0", "7 (a) R) T 3) D 1 7 7 0 -1 0", "", ")", "1 ()", "x (y) R 1 1 1 1 1 1 1",
		"1 (a) RR 1 1 1 1 1 1", "1 (a) R 1 1 1 1 1 -1", "99999999999999999999 (a) R 1 1 1 1 1 1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parseStat(b)
		if err != nil {
			if !errors.Is(err, errStat) {
				t.Errorf("error %v", err)
			}
			return
		}
		if p.state < still || p.state > runs {
			t.Errorf("%+v", p)
		}
	})
}

func TestParseStat(t *testing.T) {
	for text, want := range map[string]process{
		"1 (systemd) S 0 1 1 0 -1 4194560 1":        {pid: 1, state: asleep},
		"2 (kthreadd) S 0 0 0 0 -1 2129984 0":       {pid: 2, state: asleep, kernel: true},
		"7 (a) R 9 9) T 3 7 7 34816 12 4194304 1\n": {pid: 7, parent: 3, state: still},
		"8 () D 1 8 8 0 -1 0":                       {pid: 8, parent: 1, state: asleep},
		"9 (\n \xff) W 1 8 8 0 -1 0":                {pid: 9, parent: 1, state: runs},
	} {
		if got, err := parseStat([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, error %v, want %+v", text, got, err, want)
		}
	}
}
