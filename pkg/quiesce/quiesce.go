// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package quiesce stops all other processes of the machine for a moment, so
// that nothing is measured while its caller works.
//
// Processes are stopped by SIGSTOP. The freezer of cgroup v2 cannot do this: the
// root cgroup cannot be frozen, the caller would have to move itself out of its
// own cgroup first, and an initramfs often has no cgroups at all.
package quiesce

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// pace is the time between two looks at all processes.
	pace = 5 * time.Millisecond
	// patience is how long a process that got its signal may sleep in the
	// kernel. It may sleep in the middle of a measurement. But a process
	// whose file server does not answer sleeps for ever, and so do a parent
	// that waits in vfork(2) for a child which is stopped, and a frozen
	// container.
	patience = 2 * time.Second
	// attempt bounds Stop: a process may stay in the kernel for long, or new
	// ones may start faster than they are stopped.
	attempt = 10 * time.Second
	// limit bounds the time that others are stopped. The caller may need one
	// of them: to serve a file system, or to permit an open (fanotify(7)).
	// Most hardware watchdogs wait longer.
	limit = 30 * time.Second
)

// Others are the processes to stop: all but Self, process 1 and kernel threads.
// The kernel does not stop process 1 by a signal, and that process may have to
// feed a watchdog.
type Others struct {
	// Proc is where proc is mounted.
	Proc string
	// Self is the process that continues, with all its threads.
	Self int
	// Only restricts the processes; nil stands for all.
	Only func(pid int) bool
	// Signal sends a signal to a thread of a process, or to the process if
	// thread is 0.
	Signal func(pid, thread int, s unix.Signal) error
}

// All returns all other processes of the machine whose file systems are under
// root (normally "/").
func All(root string) *Others {
	return &Others{Proc: filepath.Join(root, "proc"), Self: os.Getpid(), Signal: signalThread}
}

func signalThread(pid, thread int, s unix.Signal) error {
	if thread == 0 {
		return unix.Kill(pid, s)
	}
	return unix.Tgkill(pid, thread, s)
}

// Stopped are processes that were running and are now stopped.
type Stopped struct {
	mu     sync.Mutex
	others *Others
	// pids are in the order in which they were stopped.
	pids []int
	// seen are those of them that were seen stopped. One that is awake again
	// was continued by somebody.
	seen  map[int]bool
	timer *time.Timer
	ended bool
}

// Stop stops the processes, and returns when each of them is stopped. After an
// error, all continue. Each thread gets the signal: if the kernel chose a thread
// and that one sleeps, the others could run on.
//
// Parents are stopped before their children, and continue after them: a shell
// that sees its child stop would take the terminal away from it.
func (o *Others) Stop(ctx context.Context) (*Stopped, error) {
	if err := o.checkProc(); err != nil {
		return nil, err
	}
	if runtime.GOMAXPROCS(0) < 2 {
		// A thread that waits for a page of a file does not let another
		// one run the timer below.
		runtime.GOMAXPROCS(2)
	}
	s := &Stopped{others: o, seen: map[int]bool{}}
	stopped := false
	defer func() {
		if !stopped {
			s.Continue() // also in a panic
		}
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, attempt, errAttempt)
	defer cancel()
	if err := s.stop(ctx); err != nil {
		return nil, err
	}
	s.timer = time.AfterFunc(limit, s.Continue)
	stopped = true
	return s, nil
}

var (
	errAttempt   = fmt.Errorf("some still run after %v", attempt)
	errOtherProc = errors.New("proc shows the processes of another PID namespace")
	errTraced    = errors.New("this process is traced, and would stop with its tracer")
)

// checkProc refuses a proc whose numbers mean other processes to kill(2).
func (o *Others) checkProc() error {
	self, err := os.Readlink(filepath.Join(o.Proc, "self"))
	if err != nil {
		return err
	}
	if self != strconv.Itoa(o.Self) {
		return fmt.Errorf("%s: %w", o.Proc, errOtherProc)
	}
	return o.checkTracer()
}

// checkTracer refuses to stop the tracer of this process: each system call waits
// for it.
func (o *Others) checkTracer() error {
	b, err := os.ReadFile(filepath.Join(o.Proc, "self/status"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		pid, ok := strings.CutPrefix(line, "TracerPid:")
		if ok && strings.TrimSpace(pid) != "0" {
			return errTraced
		}
	}
	return nil
}

// stop looks at all processes until two looks in succession found none that
// runs. One is not enough: during the first, a process may start another one and
// then stop. A process that has a signal pending cannot fork.
func (s *Stopped) stop(ctx context.Context) error {
	ran := time.Now()
	for quiet := 0; quiet < 2; {
		running, waiting, err := s.look()
		if err != nil {
			return err
		}
		if running > 0 {
			ran = time.Now()
		}
		quiet++
		if running > 0 || waiting > 0 && time.Since(ran) < patience {
			quiet = 0
		}
		select {
		case <-time.After(pace):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// look stops what runs. It counts the processes that ran, and those that wait in
// the kernel although they have their signal.
func (s *Stopped) look() (running, waiting int, err error) {
	all, err := s.others.list()
	if err != nil {
		return 0, 0, err
	}
	for _, p := range all {
		known := slices.Contains(s.pids, p.pid)
		if p.state == still {
			s.seen[p.pid] = known
			continue
		}
		continued := s.seen[p.pid]
		delete(s.seen, p.pid)
		if known && p.state == asleep && !continued {
			waiting++
			continue
		}
		running++
		if !known {
			s.pids = append(s.pids, p.pid)
		}
		// Somebody may have continued one that is known.
		for _, thread := range p.awake {
			err := s.others.Signal(p.pid, thread, unix.SIGSTOP)
			if err != nil && !errors.Is(err, unix.ESRCH) {
				return 0, 0, fmt.Errorf("stop process %d: %w", p.pid, err)
			}
		}
	}
	return running, waiting, nil
}

// Count returns the number of processes that were stopped.
func (s *Stopped) Count() int { return len(s.pids) }

// Held reports whether the processes are still stopped.
func (s *Stopped) Held() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ended
}

// Continue lets all processes run that Stop has stopped, but none that was
// stopped before. After the first call it does nothing.
func (s *Stopped) Continue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	if s.timer != nil {
		s.timer.Stop()
	}
	for _, pid := range slices.Backward(s.pids) {
		// It may have been killed meanwhile.
		_ = s.others.Signal(pid, 0, unix.SIGCONT)
	}
}
