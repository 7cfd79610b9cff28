// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/imaboot/imaboot/pkg/refusal"
)

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

// TestOptions that mean nothing are refused wherever they are given.
func TestOptions(t *testing.T) {
	for _, change := range []func(*Options){
		func(o *Options) { o.By = "pigeon" },
		func(o *Options) { o.TPM = "auto" },
		func(o *Options) { o.Quiesce = "on" },
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
	if e.Options.TPM != TPMSeen {
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
