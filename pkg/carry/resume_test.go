// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestResume: another process loads again what was loaded and kept, and jumps to
// it.
func TestResume(t *testing.T) {
	for _, tt := range []struct {
		name  string
		world func(t *testing.T, m *machine)
		want  refusal.Name
		text  string
		loads int
	}{
		{
			name: "nothing moved", want: refusal.Other, text: "jumped", loads: 2,
			world: func(*testing.T, *machine) {},
		},
		{
			name: "another tool has loaded something else", want: refusal.Other, text: "jumped", loads: 2,
			world: func(_ *testing.T, m *machine) { m.held = &archdesc.Plan{} },
		},
		{
			name: "another tool has loaded something else, and the kernel is gone", want: refusal.BadFile, text: "kernel", loads: 1,
			world: func(t *testing.T, m *machine) {
				m.held = &archdesc.Plan{}
				if err := os.Remove(m.file("kernel")); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "the list has grown", want: refusal.Other, text: "jumped", loads: 2,
			world: func(_ *testing.T, m *machine) { m.measure("/bin/imaboot", nil) },
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
			world: func(_ *testing.T, m *machine) { m.write(stateFile, []byte(`{"version":2,`)) },
		},
		{
			name: "the state says nothing", want: refusal.BadState, text: "use imaboot load again", loads: 1,
			world: func(_ *testing.T, m *machine) { m.write(stateFile, []byte(`{"version":2}`)) },
		},
		{
			name: "the state is of another version", want: refusal.BadState, text: "another version", loads: 1,
			world: func(_ *testing.T, m *machine) {
				m.write(stateFile, []byte(`{"version":1,"target":{"kernel":"/k"}}`))
			},
		},
		{
			name: "the state has a relative name", want: refusal.BadState, text: "initrd\" is not absolute", loads: 1,
			world: func(_ *testing.T, m *machine) {
				m.write(stateFile, []byte(`{"version":2,"target":{"kernel":"/k","initrds":["/i","initrd"]}}`))
			},
		},
		{
			name: "the state has no bytes", want: refusal.BadState, text: "is no byte", loads: 1,
			world: func(_ *testing.T, m *machine) {
				m.write(stateFile, []byte("{\"version\":2,\"target\":{\"kernel\":\"/k\xff\"}}"))
			},
		},
		{
			name: "the state has an option that means nothing", want: refusal.BadState, text: "pigeon", loads: 1,
			world: func(_ *testing.T, m *machine) {
				m.write(stateFile, []byte(`{"version":2,"target":{"kernel":"/k"},"options":{"by":"pigeon"}}`))
			},
		},
		{
			name: "others can write to the state", want: refusal.BadState, text: "loaded.json (-rw-rw----) belongs to another user, or others can write to it", loads: 1,
			world: func(t *testing.T, m *machine) {
				if err := os.Chmod(m.file(stateFile), 0o660); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "the state is a pipe", want: refusal.BadState, text: "no regular file", loads: 1,
			world: func(t *testing.T, m *machine) {
				if err := errors.Join(os.Remove(m.file(stateFile)), unix.Mkfifo(m.file(stateFile), 0o600)); err != nil {
					t.Fatal(err)
				}
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
			m.keep()
			tt.world(t, m)
			j, err := Resume(m.options())
			if err == nil {
				defer j.Close()
				err = j.Exec(t.Context())
			}
			// Without a note, it is another tool's.
			if mine := j != nil || tt.want == refusal.BadState; mine && m.held != nil {
				t.Error("something stays loaded")
			}
			needRefusalOrJump(t, err, tt.want, tt.text)
			if m.loads != tt.loads {
				t.Errorf("%d loads, want %d", m.loads, tt.loads)
			}
			if tt.text == "jumped" && (!bytes.HasPrefix(carried(m.jumped), m.list) || !m.quietJump) {
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

// TestLoadForgets: a note of an earlier load does not outlive a later one.
func TestLoadForgets(t *testing.T) {
	m := newMachine(t)
	m.keep()
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
	m.keep()
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
