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
	needRefusal(t, j.Keep(), refusal.BadState, "exec could not know what is loaded")
	if m.held != nil {
		t.Error("it stays loaded")
	}
}

// TestTwoJobs: any number can plan, and one at a time can load.
func TestTwoJobs(t *testing.T) {
	m := newMachine(t)
	first, second := m.open(m.options()), m.open(m.options())
	if _, err := first.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Plan(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused := func() {
		t.Helper()
		_, err := second.Load(t.Context())
		needRefusal(t, err, refusal.JobInProgress, "is locked")
		needRefusal(t, second.Exec(t.Context()), refusal.JobInProgress, "is locked")
		needRefusal(t, Unload(m.options()), refusal.JobInProgress, "is locked")
		_, err = Resume(m.options())
		needRefusal(t, err, refusal.JobInProgress, "is locked")
		if m.held == nil || m.jumped != nil {
			t.Error("a second job dropped what the first has loaded, or jumped to it")
		}
	}
	refused()
	// Other processes know by the file. In a kernel without
	// CONFIG_FILE_LOCKING only this process knows.
	held.Delete(m.file(lockFile))
	refused()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A closed job does nothing any more.
	_, err := first.Load(t.Context())
	needRefusal(t, err, refusal.Usage, "closed")
	_, err = first.Plan(t.Context())
	needRefusal(t, err, refusal.Usage, "closed")
	needRefusal(t, first.Exec(t.Context()), refusal.Usage, "closed")
	needRefusal(t, first.Keep(), refusal.Usage, "closed")
}

// TestLoadForgets: a note of an earlier load does not outlive a later one.
func TestLoadForgets(t *testing.T) {
	m := newMachine(t)
	j := m.open(m.options())
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Keep(), j.Close()); err != nil {
		t.Fatal(err)
	}
	target := m.target()
	target.Cmdline += " other"
	j, err := Open(t.Context(), target, m.options())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Resume(m.options())
	needRefusal(t, err, refusal.NothingLoaded, "use imaboot load KERNEL first")
}

// TestResumeGrows: the list grows after Resume has compared it, and before the
// last look.
func TestResumeGrows(t *testing.T) {
	m := newMachine(t)
	j := m.open(m.options())
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Keep(), j.Close()); err != nil {
		t.Fatal(err)
	}
	o, told := m.options(), 0
	o.Jumping = func(*Result) {
		if told++; told == 1 {
			m.measure("/bin/late", nil)
		}
	}
	j, err := Resume(o)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	needRefusalOrJump(t, j.Exec(t.Context()), refusal.Other, "jumped")
	if !bytes.Equal(carried(m.jumped), m.list) || told != 2 {
		t.Errorf("the list is not the one at the jump, or it was told %d times", told)
	}
}

// TestJumpingMeasures: whatever Jumping makes others do is in the list, or there
// is no jump.
func TestJumpingMeasures(t *testing.T) {
	m := newMachine(t)
	o := m.options()
	o.Jumping = func(r *Result) { m.measure("/bin/reader", []byte{byte(r.Snapshot.Records())}) }
	j := m.open(o)
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	needRefusal(t, j.Exec(t.Context()), refusal.KeepsGrowing, "stop what runs")
	if m.held != nil || m.jumped != nil {
		t.Error("it jumped, or stays loaded")
	}
}

// TestPanics: a fault of a caller's function, or of ours, is an error, and leaves
// nothing loaded and nothing locked.
func TestPanics(t *testing.T) {
	m := newMachine(t)
	o := m.options()
	o.Log = func(format string, _ ...any) {
		if format == "loaded" {
			panic("no console")
		}
	}
	j := m.open(o)
	_, err := j.Load(t.Context())
	needRefusal(t, err, refusal.InternalError, "no console")
	if m.held != nil {
		t.Error("something stays loaded")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.open(m.options()).Load(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestPolicyChanges: a rule that makes the kernel measure the jump, loaded after
// Load, is predicted.
func TestPolicyChanges(t *testing.T) {
	m := newMachine(t)
	j := m.open(m.options())
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.write("proc/kallsyms", []byte("0 t ima_measure_kexec_event\n"))
	m.write(imaDir+"/policy", []byte("measure func=CRITICAL_DATA label=ima_kexec\n"))
	needRefusalOrJump(t, j.Exec(t.Context()), refusal.Other, "jumped")
	if !bytes.Contains(carried(m.jumped), []byte("kexec_execute")) {
		t.Error("the record of the jump is not in the list")
	}
}

// TestExecEnded: a context that has ended extends nothing and jumps nowhere.
func TestExecEnded(t *testing.T) {
	m := newMachine(t)
	j := m.open(m.options())
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	needRefusal(t, j.Exec(ctx), refusal.Interrupted, "canceled")
	if m.held != nil || m.jumped != nil {
		t.Error("it jumped, or stays loaded")
	}
}

// TestOptions that mean nothing are refused wherever they are given.
func TestOptions(t *testing.T) {
	for _, change := range []func(*Options){
		func(o *Options) { o.By = "pigeon" },
		func(o *Options) { o.TPM = "auto" },
		func(o *Options) { o.Measure, o.NoNote = true, true },
	} {
		m := newMachine(t)
		o := m.options()
		change(&o)
		_, err := Open(t.Context(), m.target(), o)
		needRefusal(t, err, refusal.Usage, "")
		_, _, err = Probe(t.Context(), m.target(), o)
		needRefusal(t, err, refusal.Usage, "")
		_, err = Read(t.Context(), o)
		needRefusal(t, err, refusal.Usage, "")
	}
	m := newMachine(t)
	o := m.options()
	o.List = m.file("list")
	_, err := Open(t.Context(), m.target(), o)
	needRefusal(t, err, refusal.Usage, "for Read")
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
	// Another load ends the one before, and a TPM must not go meanwhile.
	if err := errors.Join(e.Load(), e.Load()); err != nil {
		t.Fatal(err)
	}
	other := &Entry{Target: m.target(), Options: m.options()}
	needRefusal(t, other.Load(), refusal.JobInProgress, "")
	if err := errors.Join(e.Close(), other.Load(), other.Close()); err != nil {
		t.Fatal(err)
	}
	if e.Options.TPM != TPMRequire {
		t.Errorf("TPM mode %q after a load with a TPM", e.Options.TPM)
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
