// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/internal/testing/softtpm"
	"github.com/imaboot/imaboot/pkg/kexec"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// befores are what may be loaded before a job begins.
var befores = map[string]func(m *machine){
	"nothing":          func(*machine) {},
	"by imaboot":       func(m *machine) { m.keep() },
	"by another tool":  func(m *machine) { m.foreign() },
	"first ours, then": func(m *machine) { m.keep(); m.foreign() },
}

// foreign lets another tool load something.
func (m *machine) foreign() {
	m.held = &archdesc.Plan{Cmdline: "foreign"}
	m.write("sys/kernel/kexec_loaded", []byte("1"))
}

// jobs are the ways to load and to jump.
var jobs = map[string]func(ctx context.Context, m *machine, o Options) error{
	"load": func(ctx context.Context, m *machine, o Options) error {
		return m.loadAnd(ctx, o, (*Job).Keep)
	},
	"boot": func(ctx context.Context, m *machine, o Options) error {
		return m.loadAnd(ctx, o, func(j *Job) error { return j.Exec(ctx) })
	},
	"exec": func(ctx context.Context, _ *machine, o Options) error {
		j, err := Resume(o)
		if err != nil {
			return err
		}
		defer j.Close()
		return j.Exec(ctx)
	},
	"entry": func(_ context.Context, m *machine, o Options) error {
		e := &Entry{Target: m.target(), Options: o}
		if err := e.Load(); err != nil {
			return err
		}
		return e.Exec()
	},
	"entry that is left": func(_ context.Context, m *machine, o Options) error {
		e := &Entry{Target: m.target(), Options: o}
		return errors.Join(e.Load(), e.Close(), errLeft)
	},
}

// loadAnd loads the target, and then does something with the job.
func (m *machine) loadAnd(ctx context.Context, o Options, then func(*Job) error) error {
	j, err := Open(ctx, m.target(), o)
	if err != nil {
		return err
	}
	defer j.Close()
	if _, err := j.Load(ctx); err != nil {
		return err
	}
	return then(j)
}

var errLeft = errors.New("somebody chose another entry")

// failures are all calls and files that can fail, at the first load and at the
// one that follows a change.
var failures = map[string]func(m *machine, o *Options, cancel func()){
	"the load":       func(m *machine, _ *Options, _ func()) { m.onLoad = func(int) error { return refusedLoad } },
	"another load":   func(m *machine, _ *Options, _ func()) { m.onLoad = m.thenFail(func() error { return refusedLoad }) },
	"the jump":       func(m *machine, _ *Options, _ func()) { m.execErr = errors.New("reboot") },
	"what is loaded": func(m *machine, _ *Options, _ func()) { m.loadedError = errors.New("no kexec") },
	"the TPM":        func(m *machine, _ *Options, _ func()) { m.onLoad = func(int) error { return m.loseTPM() } },
	"the TPM, later": func(m *machine, _ *Options, _ func()) { m.onStop = func() { _ = m.loseTPM() } },
	"IMA": func(m *machine, _ *Options, _ func()) {
		m.onLoad = func(int) error { return os.RemoveAll(m.file(imaDir)) }
	},
	"the PCR": func(m *machine, _ *Options, _ func()) {
		m.onLoad = func(int) error { m.extend([]byte("foreign")); return nil }
	},
	"a record": func(m *machine, _ *Options, _ func()) {
		m.onLoad = m.thenFail(func() error {
			m.list[len(m.list)-1] ^= 1
			m.write(imaDir+"/binary_runtime_measurements", m.list)
			return nil
		})
	},
	"a list that grows": func(m *machine, _ *Options, _ func()) {
		m.onLoad = func(n int) error { m.measure("/sbin/init", []byte{byte(n)}); return nil }
	},
	"the wait": func(m *machine, _ *Options, cancel func()) {
		m.onLoad = m.thenFail(func() error { return nil })
		m.onWait = func(int) error { cancel(); return context.Canceled }
	},
	"the log": func(_ *machine, o *Options, _ func()) {
		o.Log = func(format string, _ ...any) {
			if format == "loaded" {
				panic("no console")
			}
		}
	},
	"the report": func(_ *machine, o *Options, _ func()) { o.Jumping = func(*Result) { panic("no console") } },
	"the policy": func(m *machine, _ *Options, _ func()) {
		m.onStop = func() {
			m.write("proc/kallsyms", []byte("0 t ima_measure_kexec_event\n"))
			m.write(imaDir+"/policy", []byte("measure func=CRITICAL_DATA label=ima_kexec uid=0\n"))
		}
	},
	"to extend": func(m *machine, o *Options, _ func()) {
		o.Measure, m.tpm = true, &failing{softtpm.New(m.t, "sha1,sha256"), 1}
	},
	"to keep the event log": func(m *machine, o *Options, _ func()) {
		o.Measure, m.tpm = true, softtpm.New(m.t, "sha1,sha256")
		m.onStop = func() { m.block(extendedFile + ".new") }
	},
	"to keep the note": func(m *machine, _ *Options, _ func()) {
		m.onLoad = func(int) error { m.block(stateFile + ".new"); return nil }
	},
	"to remove the note": func(m *machine, _ *Options, _ func()) {
		m.onLoad = m.thenFail(func() error { m.block(stateFile); return nil })
	},
}

var refusedLoad = &kexec.LoadError{Errno: unix.ENOMEM}

// thenFail lets the list grow at the first load, and something fail at the
// second.
func (m *machine) thenFail(fail func() error) func(int) error {
	n := 0
	return func(int) error {
		if n++; n > 1 {
			return fail()
		}
		m.measure("/bin/late", nil)
		return nil
	}
}

// block makes a file that can be neither written nor removed.
func (m *machine) block(name string) {
	_ = os.Remove(m.file(name))
	if err := os.MkdirAll(m.file(name+"/x"), 0o700); err != nil {
		m.t.Error(err)
	}
}

// TestNothingStale: whatever fails, and in whatever job, afterwards nothing is
// loaded that carries an old list, and nobody is stopped. What another tool has
// loaded stays only if imaboot has loaded nothing in its place.
func TestNothingStale(t *testing.T) {
	for before, prepare := range befores {
		for job, run := range jobs {
			if strings.HasPrefix(job, "entry") && before != "nothing" {
				continue // they are boot in another dress
			}
			for failure, fail := range failures {
				t.Run(fmt.Sprintf("%s/%s/%s", before, job, failure), func(t *testing.T) {
					t.Parallel()
					m := newMachine(t)
					prepare(m)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					o := m.options()
					fail(m, &o, cancel)
					m.loads = 0
					err := run(ctx, m, o)
					_, stateErr := os.ReadFile(m.file(stateFile))
					if err == nil {
						if job != "load" || m.held == nil || stateErr != nil {
							t.Errorf("no error; loaded: %v, the note: %v", m.held != nil, stateErr)
						}
						return
					}
					foreign := m.held != nil && m.held.Cmdline == "foreign"
					if m.held != nil && (!foreign || m.loads > 1) && refusal.Of(err) != refusal.NothingLoaded && failure != "what is loaded" {
						t.Errorf("after %v something is loaded", err)
					}
					if m.others.stopped || m.others.stops != m.others.continues {
						t.Errorf("others: %+v", m.others)
					}
					if strings.Contains(err.Error(), "jumped") && m.jumped == nil {
						t.Error("it did not jump")
					}
					if m.jumped != nil && m.jumped.Cmdline == "foreign" {
						t.Error("it jumped to what another tool has loaded")
					}
				})
			}
		}
	}
}

// TestReplaces: a job says what it replaces.
func TestReplaces(t *testing.T) {
	for before, want := range map[string]string{
		"nothing": "", "by imaboot": "what imaboot has loaded before will be replaced",
		"by another tool": "another program has loaded something: it will be replaced",
	} {
		t.Run(before, func(t *testing.T) {
			m := newMachine(t)
			befores[before](m)
			var logs strings.Builder
			o := m.options()
			o.Log = func(format string, args ...any) { fmt.Fprintf(&logs, format+"\n", args...) }
			if _, err := m.open(o).Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := logs.String(); strings.Contains(got, "replaced") != (want != "") || !strings.Contains(got, want) {
				t.Errorf("%q is not in\n%s", want, got)
			}
		})
	}
}

// TestClosedDropsNothing: a job that is closed does not drop what another one has
// loaded.
func TestClosedDropsNothing(t *testing.T) {
	m := newMachine(t)
	first := m.open(m.options())
	if _, err := first.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := m.open(m.options())
	if _, err := second.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	needRefusal(t, first.Exec(t.Context()), refusal.Usage, "closed")
	if m.held == nil {
		t.Error("what the second has loaded is gone")
	}
	needRefusalOrJump(t, second.Exec(t.Context()), refusal.Other, "jumped")
}
