// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"context"
	"errors"
	"fmt"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/handover"
)

// Plan places the target and the list as it is now. It makes no system call
// that changes anything.
func (j *Job) Plan(ctx context.Context) (r *Result, err error) {
	err = guard(func() error {
		r, err = j.plan(ctx)
		return err
	})
	return r, err
}

// plan is the list's way up to the system call.
func (j *Job) plan(ctx context.Context) (*Result, error) {
	// A resumed job has opened nothing so far.
	if err := j.open(ctx); err != nil {
		return nil, err
	}
	s, err := j.r.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	l, err := j.check(s)
	if err != nil {
		return nil, err
	}
	way, err := j.choose(l)
	if err != nil {
		return nil, err
	}
	j.say(way)
	p, err := j.place(s, l, way)
	if errors.Is(err, archdesc.ErrNoSafePlace) && j.o.By == "" {
		p, way, err = j.placeFile(s, l, err)
	}
	if err != nil {
		return nil, err
	}
	j.o.Log("plan: %d segments, list at %v (%s)", len(p.Segments), p.List.Range, p.List.Where)
	return &Result{Plan: p, Snapshot: s, By: way.by, Why: way.why}, nil
}

// place packs and plans. A note that has no room, in memory or on the command
// line, is left out if the list may go without it.
func (j *Job) place(s *Snapshot, l *handover.List, way travel) (*archdesc.Plan, error) {
	list, t, err := j.pack(s, l, way)
	if err != nil {
		return nil, err
	}
	p, err := j.arch.Plan(j.machine, t, list)
	noRoom := errors.Is(err, archdesc.ErrCmdlineTooLong) || errors.Is(err, archdesc.ErrNoRoom)
	if !noRoom || !way.note || way.must || way.by != handover.ByKernel {
		return p, err
	}
	j.o.Log("no room for a note on what is sent: %v", err)
	way.note, way.events = false, nil
	j.say(way)
	return j.place(s, l, way)
}

// placeFile sends a list as a file because the kernel's carrier has no place for
// it, for which the error is why.
func (j *Job) placeFile(s *Snapshot, l *handover.List, why error) (*archdesc.Plan, travel, error) {
	way, err := j.byInitramfs()
	if err != nil {
		return nil, way, fmt.Errorf("%w; nor does it go as a file: %v", why, err) //nolint:errorlint // an error has one name
	}
	way.why = why.Error()
	j.say(way)
	p, err := j.place(s, l, way)
	return p, way, err
}
