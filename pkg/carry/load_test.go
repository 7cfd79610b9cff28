// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/internal/testing/faults"
	"github.com/imaboot/imaboot/pkg/kexec"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestLoad runs Load while the world changes. After each case what is loaded is
// the list as it is, or nothing.
func TestLoad(t *testing.T) {
	unloadFails := &kexec.LoadError{Errno: unix.EBUSY, Hint: "the kernel does not unload"}
	for _, tt := range []struct {
		name    string
		options func(*Options)
		// world is set up before the files are opened.
		world func(t *testing.T, m *machine, cancel func())
		want  refusal.Name
		text  string
		loads int
		waits []time.Duration
		// stays: it could not be unloaded.
		stays bool
	}{
		{name: "nothing moves", loads: 1},
		{
			name: "the list grows before the load", loads: 2, waits: []time.Duration{loadWait},
			world: func(_ *testing.T, m *machine, _ func()) {
				m.onLoad = func(n int) error {
					if n == 1 {
						m.measure("/bin/late", []byte("late"))
					}
					return nil
				}
			},
		},
		{
			name: "the list grows when it is synced", loads: 1,
			world: func(_ *testing.T, m *machine, _ func()) {
				m.onSync = func() { m.measure("/bin/helper", []byte("helper")) }
			},
		},
		{
			name: "the list grows each time", want: refusal.KeepsGrowing, text: "it changed 6 times", loads: 6,
			waits: []time.Duration{loadWait, 2 * loadWait, 4 * loadWait, 8 * loadWait, 16 * loadWait},
			world: func(_ *testing.T, m *machine, _ func()) {
				m.onLoad = func(n int) error { m.measure("/bin/busy", []byte{byte(n)}); return nil }
			},
		},
		{
			name: "a PCR moves, and the list does not", want: refusal.TPMAhead, text: "something else extended the PCR",
			loads: 1, waits: []time.Duration{loadWait},
			world: func(_ *testing.T, m *machine, _ func()) {
				m.onLoad = func(int) error { m.extend([]byte("foreign")); return nil }
			},
		},
		{
			name: "the list is ahead, and the TPM follows", loads: 1, waits: []time.Duration{aheadWait},
			world: func(_ *testing.T, m *machine, _ func()) {
				data := m.record("/bin/slow", []byte("slow"))
				m.onWait = func(int) error { m.extend(data); return nil }
			},
		},
		{
			name: "the list is ahead, and stays so", want: refusal.ListAhead, text: "matches after record 4 of 5", waits: repeat(aheadWait, aheadTries-1),
			world: func(_ *testing.T, m *machine, _ func()) { m.record("/bin/slow", []byte("slow")) },
		},
		{
			name: "the list stays ahead while it grows", want: refusal.KeepsGrowing, text: "stop what runs beside", waits: slices.Concat(repeat(aheadWait, aheadTries-1), []time.Duration{loadWait}, repeat(aheadWait, aheadTries-1)),
			world: func(_ *testing.T, m *machine, _ func()) {
				last := m.record("/bin/0", nil)
				m.onWait = func(n int) error {
					next := m.record("/bin/more", []byte{byte(n)})
					m.extend(last)
					last = next
					return nil
				}
			},
		},
		{
			name: "the TPM is ahead", want: refusal.TPMAhead, text: "records are lost",
			world: func(_ *testing.T, m *machine, _ func()) { m.extend([]byte("lost")) },
		},
		{
			name: "a record is tampered with", want: refusal.Tampered, text: "record 4",
			world: func(_ *testing.T, m *machine, _ func()) {
				m.list[len(m.list)-2] ^= 1
				m.write(imaDir+"/binary_runtime_measurements", m.list)
			},
		},
		{
			name: "the TPM goes", want: refusal.NoTPM, text: "the TPM does not answer any more", loads: 1,
			world: func(_ *testing.T, m *machine, _ func()) { m.onLoad = func(int) error { return m.loseTPM() } },
		},
		{
			name: "a PCR is malformed", want: refusal.BadPCR, text: "pcr-sha256/10", loads: 1,
			world: func(_ *testing.T, m *machine, _ func()) {
				m.onLoad = func(int) error { m.write(tpmDir+"/pcr-sha256/10", []byte("00")); return nil }
			},
		},
		{
			name: "no TPM", loads: 1,
			world: func(t *testing.T, m *machine, _ func()) {
				if err := m.loseTPM(); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "no TPM, and one is required", want: refusal.NoTPM, text: "lists none",
			options: func(o *Options) { o.TPM = TPMRequire },
			world: func(t *testing.T, m *machine, _ func()) {
				if err := m.loseTPM(); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "the TPM is not asked", loads: 1,
			options: func(o *Options) { o.TPM = TPMOff },
			world:   func(_ *testing.T, m *machine, _ func()) { m.extend([]byte("lost")) },
		},
		{
			name: "the kernel refuses", want: refusal.LoadRefused, text: "in the running kernel", loads: 1,
			world: func(_ *testing.T, m *machine, _ func()) {
				m.onLoad = func(int) error { return &kexec.LoadError{Errno: unix.ETXTBSY, Hint: "in the running kernel"} }
			},
		},
		{
			name: "the second load is refused", want: refusal.LoadRefused, loads: 2, waits: []time.Duration{loadWait},
			world: func(_ *testing.T, m *machine, _ func()) {
				m.onLoad = func(n int) error {
					if n == 2 {
						return &kexec.LoadError{Errno: unix.ENOMEM}
					}
					m.measure("/bin/late", nil)
					return nil
				}
			},
		},
		{
			name: "it cannot be unloaded", want: refusal.NoTPM, text: unloadFails.Hint, loads: 1, stays: true,
			world: func(_ *testing.T, m *machine, _ func()) {
				m.unloadErr = unloadFails
				m.onLoad = func(int) error { return m.loseTPM() }
			},
		},
		{
			name: "the context ends", want: refusal.Interrupted, loads: 1, waits: []time.Duration{loadWait},
			world: func(_ *testing.T, m *machine, cancel func()) {
				m.onLoad = func(int) error { m.measure("/bin/late", nil); cancel(); return nil }
			},
		},
		{
			name: "the context ends while the list is ahead", want: refusal.Interrupted, text: "matches after record 4 of 5", waits: []time.Duration{aheadWait},
			world: func(_ *testing.T, m *machine, cancel func()) {
				m.record("/bin/slow", nil)
				m.onWait = func(int) error { cancel(); return nil }
			},
		},
		{
			name: "IMA goes away", want: refusal.NoIMA, loads: 1,
			world: func(_ *testing.T, m *machine, _ func()) {
				m.onLoad = func(int) error { return os.RemoveAll(m.file(imaDir)) }
			},
		},
		{
			name: "no file is measured", want: refusal.NotMeasured, text: "kernel is in no record",
			options: func(o *Options) { o.RequireMeasured = true },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tt.world != nil {
				tt.world(t, m, cancel)
			}
			o := m.options()
			if tt.options != nil {
				tt.options(&o)
			}
			j := m.open(o)
			r, err := j.Load(ctx)
			needRefusal(t, err, tt.want, tt.text)
			if m.loads != tt.loads || !slices.Equal(m.waits, tt.waits) {
				t.Errorf("%d loads, waits %v; want %d, %v", m.loads, m.waits, tt.loads, tt.waits)
			}
			switch {
			case tt.want == "":
				if !bytes.Equal(carried(m.held), m.list) || r.Snapshot.Records() != m.count {
					t.Error("what is loaded does not carry the list as it is")
				}
			case tt.stays != (m.held != nil):
				t.Errorf("loaded after the refusal: %v", m.held != nil)
			}
		})
	}
}

func repeat(d time.Duration, n int) (out []time.Duration) {
	for range n {
		out = append(out, d)
	}
	return out
}

// TestFault: a file that shrinks while it is mapped is an error, and nothing
// stays loaded.
func TestFault(t *testing.T) {
	faults.Need(t)
	m := newMachine(t)
	m.onLoad = func(n int) error {
		if n == 1 {
			m.measure("/bin/late", nil) // so that it is loaded again
			return nil
		}
		return os.Truncate(m.file("kernel"), 0)
	}
	_, err := m.open(m.options()).Load(t.Context())
	needRefusal(t, err, refusal.BadFile, "changed or could not be read")
	if m.held != nil {
		t.Error("something stays loaded")
	}
}

// TestPlan loads nothing.
func TestPlan(t *testing.T) {
	m := newMachine(t)
	r, err := m.open(m.options()).Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.loads != 0 || !bytes.Equal(carried(r.Plan), m.list) || r.By != "kernel" || r.Why == "" {
		t.Errorf("%d loads, carrier %q: %s", m.loads, r.By, r.Why)
	}
}

func TestUnload(t *testing.T) {
	m := newMachine(t)
	m.keep()
	if err := Unload(m.options()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(m.file(stateFile)); m.held != nil || err == nil {
		t.Errorf("something is left: %v", err)
	}
	m.unloadErr = &kexec.LoadError{Errno: unix.EBUSY, Hint: "another kexec_load"}
	needRefusal(t, Unload(m.options()), refusal.LoadRefused, "another kexec_load")
}
