// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestQuiet runs Load and Exec while another process measures. It is stopped
// before the last look, and continues after every refusal.
func TestQuiet(t *testing.T) {
	for _, tt := range []struct {
		name  string
		world func(m *machine, o *Options, cancel func())
		want  refusal.Name // Other for the jump
		text  string
		stops int
		// noisy: the others run at the jump.
		noisy bool
		logs  string
	}{
		{name: "nobody measures", want: refusal.Other, text: "jumped", stops: 1, logs: "other processes are stopped: 1"},
		{
			name: "it measures at each load and at each wait", want: refusal.Other, text: "jumped", stops: 2,
			world: func(m *machine, _ *Options, _ func()) {
				m.onLoad = func(int) error { m.busy("/bin/load"); return nil }
				m.onWait = func(int) error { m.busy("/bin/wait"); return nil }
			},
		},
		{
			name: "each record is extended late", want: refusal.Other, text: "jumped", stops: 2,
			world: func(m *machine, _ *Options, _ func()) {
				last := m.record("/bin/0", nil)
				m.onWait = func(n int) error {
					if last != nil {
						m.extend(last)
						last = nil
					}
					if !m.others.stopped {
						last = m.record("/bin/more", []byte{byte(n)})
					}
					return nil
				}
			},
		},
		{
			name: "it measures between load and last look", want: refusal.Other, text: "jumped", stops: 1,
			world: func(m *machine, o *Options, _ func()) { o.Jumping = func(*Result) { m.busy("/bin/tell") } },
		},
		{
			name: "nobody is to be stopped", want: refusal.KeepsGrowing, text: "it changed 6 times",
			world: func(m *machine, o *Options, _ func()) {
				o.Quiesce = QuiesceOff
				m.onLoad = func(int) error { m.busy("/bin/load"); return nil }
			},
		},
		{
			name: "nobody is to be stopped, and nobody measures", want: refusal.Other, text: "jumped", noisy: true,
			world: func(_ *machine, o *Options, _ func()) { o.Quiesce = QuiesceOff },
		},
		{
			name: "they cannot be stopped", want: refusal.KeepsGrowing, text: "it changed 6 times", logs: "other processes are not stopped: no pid namespace",
			world: func(m *machine, _ *Options, _ func()) {
				m.stopErr = errors.New("no pid namespace")
				m.onLoad = func(int) error { m.busy("/bin/load"); return nil }
			},
		},
		{
			name: "they cannot be stopped, and nobody measures", want: refusal.Other, text: "jumped", noisy: true, logs: "other processes are not stopped: EPERM",
			world: func(m *machine, _ *Options, _ func()) { m.stopErr = errors.New("EPERM") },
		},
		{
			name: "they are stopped for too long", want: refusal.Other, text: "jumped", stops: 1, noisy: true, logs: "they were stopped for too long",
			world: func(m *machine, _ *Options, _ func()) { m.others.tooLong = true },
		},
		{
			name: "the context ends while they are stopped", want: refusal.Interrupted, text: "context canceled", stops: 1,
			world: func(m *machine, _ *Options, cancel func()) { m.onStop = cancel },
		},
		{
			name: "the context ends, and so does stopping", want: refusal.Interrupted, text: "context canceled",
			world: func(m *machine, _ *Options, cancel func()) {
				m.stopErr = context.Canceled
				m.onStop = cancel
			},
		},
		{
			name: "a signal comes while they are stopped", want: refusal.Interrupted, stops: 1,
			world: func(m *machine, o *Options, _ func()) {
				log := o.Log
				o.Log = func(format string, args ...any) {
					log(format, args...)
					if strings.HasPrefix(format, "other processes are stopped") {
						_ = unix.Kill(unix.Getpid(), unix.SIGTERM)
						m.measure("/bin/late", nil)
					}
				}
				// It loads again, and waits until the signal has come.
				m.onLoad = m.thenFail(func() error { m.measure("/sbin/init", nil); return nil })
				m.patient = true
			},
		},
		{
			name: "the TPM leaves", want: refusal.NoTPM, stops: 1,
			world: func(m *machine, _ *Options, _ func()) { m.onStop = func() { _ = m.loseTPM() } },
		},
		{
			name: "process 1 measures", want: refusal.KeepsGrowing, stops: 1,
			world: func(m *machine, _ *Options, _ func()) {
				m.onLoad = func(n int) error { m.measure("/sbin/init", []byte{byte(n)}); return nil }
			},
		},
		{
			name: "a fault", want: refusal.InternalError, text: "no console", stops: 1,
			world: func(_ *machine, o *Options, _ func()) {
				o.Log = func(format string, _ ...any) {
					if strings.HasPrefix(format, "other processes are stopped") {
						panic("no console")
					}
				}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o := m.options()
			var logs strings.Builder
			o.Log = func(format string, args ...any) { fmt.Fprintf(&logs, format+"\n", args...) }
			if tt.world != nil {
				tt.world(m, &o, cancel)
			}
			j := m.open(o)
			_, err := j.Load(ctx)
			if m.others.stopped {
				t.Error("Load leaves others stopped")
			}
			if err == nil {
				err = j.Exec(ctx)
			}
			needRefusalOrJump(t, err, tt.want, tt.text)
			if m.others.stops != tt.stops || m.others.stopped || m.others.continues != tt.stops {
				t.Errorf("others: %+v, want %d stops", m.others, tt.stops)
			}
			if m.held != nil || !strings.Contains(logs.String(), tt.logs) {
				t.Errorf("loaded: %v, logs without %q:\n%s", m.held != nil, tt.logs, logs.String())
			}
			if tt.want == refusal.Other && (m.quietJump == tt.noisy || !bytes.Equal(carried(m.jumped), m.list)) {
				t.Errorf("stopped at the jump: %v; %d bytes arrive of %d", m.quietJump, len(carried(m.jumped)), len(m.list))
			}
		})
	}
}
