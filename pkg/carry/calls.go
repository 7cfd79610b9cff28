// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"context"
	"time"

	"github.com/google/go-tpm/tpm2/transport"
	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/kexec"
	"github.com/imaboot/imaboot/pkg/quiesce"
	"github.com/imaboot/imaboot/pkg/tpm"
)

// calls are all that this package does to the kernel and the TPM. What it
// reads it reads from files.
type calls interface {
	load(*archdesc.Plan) error
	unload() error
	loaded() (bool, error)
	// exec returns only with an error.
	exec() error
	sync()
	// stop stops all other processes.
	stop(context.Context) (stopped, error)
	openTPM() (transport.TPMCloser, error)
	// wait sleeps, unless the context ends before.
	wait(context.Context, time.Duration) error
}

// stopped are processes that are stopped until they continue.
type stopped interface {
	Count() int
	// Held is false if they have continued, also by themselves.
	Held() bool
	Continue()
}

// running is the running kernel.
type running struct{ root string }

func (running) load(p *archdesc.Plan) error { return kexec.LoadPlan(p) }
func (running) unload() error               { return kexec.Unload() }
func (running) loaded() (bool, error)       { return kexec.Loaded() }
func (running) exec() error                 { return kexec.Exec() }
func (running) sync()                       { unix.Sync() }

func (running) wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r running) stop(ctx context.Context) (stopped, error) { return quiesce.All(r.root).Stop(ctx) }

func (r running) openTPM() (transport.TPMCloser, error) { return tpm.Open(r.root) }
