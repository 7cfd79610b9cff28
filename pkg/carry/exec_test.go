// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestExec changes the world between Load and Exec. What is loaded at the jump
// carries the list as it is then; without a jump nothing stays loaded.
func TestExec(t *testing.T) {
	for _, tt := range []struct {
		name  string
		world func(m *machine)
		want  refusal.Name // Other for the jump
		text  string
		loads int
	}{
		{name: "nothing moves", want: refusal.Other, text: "jumped", loads: 1},
		{
			name: "the list has grown", want: refusal.Other, text: "jumped", loads: 2,
			world: func(m *machine) { m.measure("/bin/late", nil) },
		},
		{
			name: "it grows when it is synced", want: refusal.Other, text: "jumped", loads: 2,
			world: func(m *machine) { m.onSync = func() { m.measure("/bin/helper", nil) } },
		},
		{
			name: "a PCR has moved", want: refusal.TPMAhead, loads: 1,
			world: func(m *machine) { m.extend([]byte("foreign")) },
		},
		{
			name: "the TPM has gone", want: refusal.NoTPM, text: "does not answer any more", loads: 1,
			world: func(m *machine) { _ = m.loseTPM() },
		},
		{
			name: "the jump fails", want: refusal.Other, text: "reboot: operation not permitted", loads: 1,
			world: func(m *machine) { m.execErr = errors.New("reboot: operation not permitted") },
		},
		{
			name: "the kernel's file is gone, and the list has grown", want: refusal.Other, text: "jumped", loads: 2,
			world: func(m *machine) {
				m.measure("/bin/rm", nil)
				_ = os.Remove(m.file("kernel")) // it is mapped
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			o := m.options()
			var told *Result
			o.Jumping = func(r *Result) { told = r }
			j := m.open(o)
			if _, err := j.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if tt.world != nil {
				tt.world(m)
			}
			err := j.Exec(t.Context())
			needRefusalOrJump(t, err, tt.want, tt.text)
			if m.held != nil || m.loads != tt.loads || told == nil {
				t.Errorf("loaded: %v, %d loads, want %d; told of %v", m.held != nil, m.loads, tt.loads, told)
			}
			if tt.want == refusal.Other && !bytes.Equal(carried(m.jumped), m.list) {
				t.Error("what was jumped to does not carry the list as it is")
			}
			// A second jump has nothing to jump to.
			needRefusal(t, j.Exec(t.Context()), refusal.NothingLoaded, "call Load first")
		})
	}
}

// needRefusalOrJump is needRefusal, with Other for an error that has no name.
func needRefusalOrJump(t *testing.T, err error, name refusal.Name, text string) {
	t.Helper()
	if name != refusal.Other {
		needRefusal(t, err, name, text)
		return
	}
	r, ok := err.(*Refusal) //nolint:errorlint // not one inside
	if !ok || r.Verdict != name || !bytes.Contains([]byte(err.Error()), []byte(text)) {
		t.Errorf("error %v, want %q", err, text)
	}
}

// TestResume: another process jumps to what was loaded and kept, if that still
// carries the list, and else loads it again.
func TestResume(t *testing.T) {
	for _, tt := range []struct {
		name  string
		world func(t *testing.T, m *machine)
		want  refusal.Name
		text  string
		loads int
	}{
		{
			name: "nothing moved, and no file is opened", want: refusal.Other, text: "jumped", loads: 1,
			world: func(t *testing.T, m *machine) {
				if err := errors.Join(os.Remove(m.file("kernel")), os.Remove(m.file("initrd"))); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "the list has grown", want: refusal.Other, text: "jumped", loads: 2,
			world: func(_ *testing.T, m *machine) { m.measure("/bin/imaboot", nil) },
		},
		{
			name: "the list has grown, and the kernel is gone", want: refusal.BadFile, text: "kernel", loads: 1,
			world: func(t *testing.T, m *machine) {
				m.measure("/bin/rm", nil)
				if err := os.Remove(m.file("kernel")); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "a rule for the jump was loaded since", want: refusal.Other, text: "jumped", loads: 2,
			world: func(_ *testing.T, m *machine) {
				m.write("proc/kallsyms", []byte("0 t ima_measure_kexec_event\n"))
				m.write(imaDir+"/policy", []byte("measure func=CRITICAL_DATA label=ima_kexec\n"))
			},
		},
		{
			name: "a PCR has moved", want: refusal.TPMAhead, text: "something else extended", loads: 1,
			world: func(_ *testing.T, m *machine) { m.extend([]byte("foreign")) },
		},
		{
			name: "nothing is loaded", want: refusal.NothingLoaded, text: "use imaboot load KERNEL first", loads: 1,
			world: func(_ *testing.T, m *machine) { m.held = nil },
		},
		{
			name: "there is no state", want: refusal.NothingLoaded, text: "use imaboot load KERNEL first", loads: 1,
			world: func(t *testing.T, m *machine) {
				if err := os.Remove(m.file(stateFile)); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "the state is damaged", want: refusal.BadState, text: "use imaboot load again", loads: 1,
			world: func(_ *testing.T, m *machine) { m.write(stateFile, []byte(`{"version":1,`)) },
		},
		{
			name: "the state says nothing", want: refusal.BadState, text: "use imaboot load again", loads: 1,
			world: func(_ *testing.T, m *machine) { m.write(stateFile, []byte(`{"version":1}`)) },
		},
		{
			name: "the state is of another version", want: refusal.BadState, text: "another version", loads: 1,
			world: func(_ *testing.T, m *machine) {
				m.write(stateFile, []byte(`{"version":2,"target":{"kernel":"/k"},"digest":"00"}`))
			},
		},
		{
			name: "the state is a link", want: refusal.BadState, text: "is a link", loads: 1,
			world: func(t *testing.T, m *machine) {
				if err := errors.Join(os.Rename(m.file(stateFile), m.file("elsewhere")), os.Symlink(m.file("elsewhere"), m.file(stateFile))); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "others can write where the state is", want: refusal.BadState, text: "others can write to it", loads: 1,
			world: func(t *testing.T, m *machine) {
				if err := os.Chmod(m.file(runDir), 0o777); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "nobody knows whether anything is loaded", want: refusal.Other, text: "no kexec", loads: 1,
			world: func(_ *testing.T, m *machine) { m.loadedError = errors.New("the running kernel has no kexec") },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			first := m.open(m.options())
			if _, err := first.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(first.Keep(), first.Close()); err != nil {
				t.Fatal(err)
			}
			tt.world(t, m)
			j, err := Resume(m.options())
			if err == nil {
				defer j.Close()
				err = j.Exec(t.Context())
				if m.held != nil {
					t.Error("something stays loaded")
				}
			}
			needRefusalOrJump(t, err, tt.want, tt.text)
			if m.loads != tt.loads {
				t.Errorf("%d loads, want %d", m.loads, tt.loads)
			}
			if tt.text == "jumped" && !bytes.HasPrefix(carried(m.jumped), m.list) {
				t.Error("what was jumped to does not carry the list as it is")
			}
		})
	}
}

// TestKeepFails: what Resume could not find must not stay loaded.
func TestKeepFails(t *testing.T) {
	m := newMachine(t)
	j := m.open(m.options())
	needRefusal(t, j.Keep(), refusal.NothingLoaded, "")
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(m.file(runDir), 0o777); err != nil {
		t.Fatal(err)
	}
	needRefusalOrJump(t, j.Keep(), refusal.Other, "exec could not know what is loaded")
	if m.held != nil {
		t.Error("it stays loaded")
	}
}

// TestTwoJobs: one at a time, in whatever process.
func TestTwoJobs(t *testing.T) {
	m := newMachine(t)
	j := m.open(m.options())
	_, err := Open(t.Context(), m.target(), m.options())
	needRefusal(t, err, refusal.JobInProgress, "is locked")
	// In a kernel without CONFIG_FILE_LOCKING the process still knows, and
	// other processes know by the file.
	held.Delete(m.file(lockFile))
	_, err = Open(t.Context(), m.target(), m.options())
	needRefusal(t, err, refusal.JobInProgress, "is locked")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	m.open(m.options())
}

// TestEntry: an entry opens nothing before it is loaded, and Exec takes the
// last look.
func TestEntry(t *testing.T) {
	m := newMachine(t)
	e := &Entry{Name: "next", Target: m.target(), Options: m.options(), Default: true}
	needRefusal(t, e.Exec(), refusal.NothingLoaded, "")
	e.Edit(func(cmdline string) string { return cmdline + " single" })
	if e.Label() != "next" || !e.IsDefault() {
		t.Errorf("%q, default %v", e.Label(), e.IsDefault())
	}
	if err := e.Load(); err != nil {
		t.Fatal(err)
	}
	m.measure("/bin/late", nil)
	needRefusalOrJump(t, e.Exec(), refusal.Other, "jumped")
	if !bytes.Equal(carried(m.jumped), m.list) || !bytes.HasSuffix([]byte(m.jumped.Cmdline), []byte("quiet single")) {
		t.Errorf("jumped to a list of %d bytes, command line %q", len(carried(m.jumped)), m.jumped.Cmdline)
	}
	// Both ways to fail leave no job behind.
	e.Target.Kernel = m.file("none")
	needRefusal(t, e.Load(), refusal.BadFile, "no such file")
	e.Target = m.target()
	m.extend([]byte("foreign"))
	needRefusal(t, e.Load(), refusal.TPMAhead, "")
	_ = m.open(m.options())
}

// TestOpenEnded: a context that has ended opens nothing.
func TestOpenEnded(t *testing.T) {
	m := newMachine(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, m.target(), m.options())
	needRefusal(t, err, refusal.Interrupted, "context canceled")
	_, _, err = Probe(ctx, m.target(), m.options())
	needRefusal(t, err, refusal.Interrupted, "context canceled")
}
