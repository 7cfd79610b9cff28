// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package quiesce

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// A state is what a process, or a thread of it, does.
type state int

const (
	// still: stopped by a signal or by its tracer, or dead.
	still state = iota
	// asleep: it waits in the kernel.
	asleep
	// runs: it runs, or wants to.
	runs
)

// A process is one of proc.
type process struct {
	pid, parent int
	state       state
	kernel      bool // it is a kernel thread
	// awake are the threads that are not still.
	awake []int
}

// list returns the processes to stop, parents before their children.
func (o *Others) list() ([]process, error) {
	entries, err := os.ReadDir(o.Proc)
	if err != nil {
		return nil, err
	}
	parents := map[int]int{}
	var out []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, err := o.process(pid)
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		parents[pid] = p.parent
		if pid != o.Self && pid != 1 && !p.kernel && (o.Only == nil || o.Only(pid)) {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b process) int { return cmp.Compare(depth(parents, a.pid), depth(parents, b.pid)) })
	return out, nil
}

// depth returns the number of a process's ancestors. The parents were read one
// after another, so numbers that were used again may form a loop.
func depth(parents map[int]int, pid int) int {
	n := 0
	for ; pid != 0 && n < len(parents); n++ {
		pid = parents[pid]
	}
	return n
}

// process reads a process and its threads. A process is in the state of the
// thread that is most awake. Its first thread may have ended before the others.
func (o *Others) process(pid int) (process, error) {
	dir := filepath.Join(o.Proc, strconv.Itoa(pid))
	p, err := readStat(filepath.Join(dir, "stat"))
	if err != nil || p.kernel {
		return p, err
	}
	threads, err := os.ReadDir(filepath.Join(dir, "task"))
	if err != nil {
		return p, err
	}
	for _, t := range threads {
		thread, err := readStat(filepath.Join(dir, "task", t.Name(), "stat"))
		if gone(err) {
			continue
		}
		if err != nil {
			return p, err
		}
		p.state = max(p.state, thread.state)
		if thread.state != still {
			p.awake = append(p.awake, thread.pid)
		}
	}
	return p, nil
}

// gone reports whether an error says that a process has ended.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH)
}

func readStat(name string) (process, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return process{}, err
	}
	p, err := parseStat(b)
	if err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

var errStat = errors.New("not in the format of proc")

// kernelThread is PF_KTHREAD of include/linux/sched.h.
const kernelThread = 0x00200000

// parseStat parses /proc/PID/stat (proc_pid_stat(5)): the number, the name in
// parentheses, state, parent, group, session, terminal, its group, flags. The
// name may contain anything, also a parenthesis.
func parseStat(b []byte) (process, error) {
	end := bytes.LastIndexByte(b, ')')
	number, _, ok := bytes.Cut(b, []byte(" ("))
	if end < 0 || !ok {
		return process{}, errStat
	}
	fields := bytes.Fields(b[end+1:])
	const stateField, parentField, flagsField = 0, 1, 6
	if len(fields) <= flagsField || len(fields[stateField]) != 1 {
		return process{}, errStat
	}
	pid, err := strconv.Atoi(string(number))
	parent, parentErr := strconv.Atoi(string(fields[parentField]))
	flags, flagsErr := strconv.ParseUint(string(fields[flagsField]), 10, 64)
	if err := errors.Join(err, parentErr, flagsErr); err != nil {
		return process{}, fmt.Errorf("%w: %w", errStat, err)
	}
	return process{pid: pid, parent: parent, state: stateOf(fields[stateField][0]), kernel: flags&kernelThread != 0}, nil
}

// stateOf translates a letter of task_state_array (fs/proc/array.c).
func stateOf(letter byte) state {
	switch letter {
	case 'T', 't', 'Z', 'X':
		return still
	case 'D', 'S', 'I':
		return asleep
	}
	return runs
}
