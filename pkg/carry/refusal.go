// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"context"
	"errors"

	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/refusal"
	"github.com/imaboot/imaboot/pkg/target"
)

// A Refusal is why a list was not carried, or a kernel not booted. Every error
// of this package is one.
type Refusal struct {
	// Verdict is the name of the refusal, which decides on the exit code.
	Verdict refusal.Name
	Err     error
}

// Error begins with the name.
func (r *Refusal) Error() string { return r.Verdict.Text(r.Err.Error()) }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// RefusalName implements the interface of package refusal.
func (r *Refusal) RefusalName() refusal.Name { return r.Verdict }

// Why this package refuses by itself.
var (
	errGrowing     = refusal.New(refusal.KeepsGrowing, "the list keeps growing")
	errNotLoaded   = refusal.New(refusal.NothingLoaded, "nothing is loaded")
	errTPMGone     = refusal.New(refusal.NoTPM, "the TPM does not answer any more")
	errUnexplained = refusal.New(refusal.EventLogUnexplained, "the event log does not lead to the PCR")
	errNoEventLog  = refusal.New(refusal.EventLogNotCarried, "the event log would not arrive")
	errJob         = refusal.New(refusal.JobInProgress, "another job is in progress")
	errNotRoot     = refusal.New(refusal.NotPrivileged, "not privileged")
	errOptions     = refusal.New(refusal.Usage, "wrong options")
	errClosed      = refusal.New(refusal.Usage, "the job is closed")
	errState       = refusal.New(refusal.BadState, "the note of what is loaded cannot be used")
)

// refuse makes a Refusal of an error. A nil error stays nil.
func refuse(err error) error {
	if err == nil {
		return nil
	}
	if r, ok := err.(*Refusal); ok { //nolint:errorlint // the outermost one
		return r
	}
	name := refusal.Of(err)
	if name == refusal.Other && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		name = refusal.Interrupted
	}
	return &Refusal{name, err}
}

// bad is the refusal of a list with this verdict.
func bad(v handover.Verdict, text string) error {
	return &Refusal{refusal.Name(v), errors.New(text)}
}

// guard turns every panic into an error, and every error into a Refusal. Kernel
// and initrd are mapped.
func guard(f func() error) error { return refuse(target.Guard(f)) }
