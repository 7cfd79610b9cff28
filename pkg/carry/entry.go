// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"context"
	"errors"

	"github.com/imaboot/imaboot/internal/human"
)

// An Entry is a target in a menu. It implements u-root's menu.Entry (pkg/boot/
// menu), which this package does not import because it links every loader of
// u-root.
//
// Nothing is opened before Load, so an entry that nobody boots leaves no trace
// in the list. Exec keeps the last look.
type Entry struct {
	// Name is what the menu shows.
	Name    string
	Target  Target
	Options Options
	// Default: boot it when nobody chooses.
	Default bool

	job *Job
}

// Label returns the name, with everything escaped that is no printable character:
// a menu prints it as it is.
func (e *Entry) Label() string { return human.Printable(e.Name) }

// IsDefault reports whether the entry is booted when nobody chooses.
func (e *Entry) IsDefault() bool { return e.Default }

// Edit changes the command line.
func (e *Entry) Edit(f func(cmdline string) string) { e.Target.Cmdline = f(e.Target.Cmdline) }

// Load opens the target and loads it with the list.
func (e *Entry) Load() error {
	if err := e.Close(); err != nil {
		return err
	}
	job, err := Open(context.Background(), e.Target, e.Options)
	if err != nil {
		return err
	}
	_, err = job.Load(context.Background())
	if job.SawTPM() && e.Options.TPM == TPMAuto {
		e.Options.TPM = TPMSeen
	}
	if err != nil {
		_ = job.Close()
		return err
	}
	e.job = job
	return nil
}

// Exec takes the last look and jumps. It returns only with an error.
func (e *Entry) Exec() error {
	if e.job == nil {
		return refuse(errNotLoaded)
	}
	err := e.job.Exec(context.Background())
	_ = e.Close()
	return err
}

// Close ends what Load began, without a jump, so that another entry can be
// loaded. Nothing of this entry stays loaded.
func (e *Entry) Close() error {
	if e.job == nil {
		return nil
	}
	err := errors.Join(e.job.drop(nil), e.job.Close())
	e.job = nil
	return refuse(err)
}
