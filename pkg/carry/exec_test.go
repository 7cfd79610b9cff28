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
