// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/tpm"
)

// pcrIndex is CONFIG_IMA_MEASURE_PCR_IDX, which no kernel is known to change.
const pcrIndex = 10

const (
	// carryTries bounds how often a list that has changed is carried anew.
	// The wait before is doubled each time: 7.75 s in all.
	carryTries = 6
	carryWait  = 250 * time.Millisecond
	// aheadTries and aheadWait bound the wait for an extend that is under
	// way: a record is in the list before it is in the TPM.
	aheadTries = 20
	aheadWait  = 50 * time.Millisecond
)

// A snapshot is the list and what the TPM said just before it was read.
type snapshot struct {
	*handover.Snapshot
	// carried is the part that came as a file; nil without one.
	carried *handover.Carried
	// own is where the running kernel's part of the list begins.
	own    int
	pcrs   *tpm.Reading // nil without a TPM
	report *handover.Report
	grew   bool // while it was waited for
	// steady: the TPM's counter was the same after the list was read.
	steady bool
}

// readTPM follows --tpm: nil means that there is nothing to compare with.
func (c *command) readTPM(mode string) (*tpm.Reading, error) {
	if mode == "off" {
		return nil, nil
	}
	r, err := tpm.Read("/", pcrIndex)
	if errors.Is(err, tpm.ErrNoTPM) && mode == "auto" {
		return nil, nil
	}
	return r, err
}

// carried reads the list that earlier kernels handed over as a file, if there
// is one and it is not to be left out.
func (c *command) carried(mode string) (*handover.Carried, error) {
	if mode == "off" {
		return nil, nil
	}
	l, err := handover.ReadCarried("/")
	if err == nil && l != nil {
		n := l.Note
		c.detail("sent by %s with the carrier %s: %d records in %d hops, %s (%s)", n.Kernel, n.Carrier, n.Records, n.Hop, size(n.Bytes), l.Dir)
	}
	return l, err
}

// restored compares the list with what the kernel was to restore, if that is
// known.
func restored(carried *handover.Carried, l *handover.List) error {
	if carried == nil || carried.List != nil {
		return nil
	}
	return carried.Note.Restored(l)
}

// front are the parts of the list that the running kernel does not have, in
// their order.
func (c *command) front(o *options) ([]*handover.List, *handover.Carried, error) {
	var front []*handover.List
	if o.Prefix != "" {
		l, err := readList(o.Prefix)
		if err != nil {
			return nil, nil, err
		}
		front = append(front, l)
		c.detail("prefix %s: %d records", o.Prefix, l.Records())
	}
	carried, err := c.carried(o.Carried)
	if carried != nil && carried.List != nil {
		front = append(front, carried.List)
	}
	return front, carried, err
}

// snapshot reads PCR and list, in this order, and compares them. A list that
// is ahead of the PCR is read again for a while.
func (c *command) snapshot(o *options) (*snapshot, error) {
	front, carried, err := c.front(o)
	if err != nil {
		return nil, err
	}
	first := -1
	for try := 1; ; try++ {
		s := &snapshot{carried: carried}
		for _, l := range front {
			s.own += len(l.Bytes())
		}
		if s.pcrs, err = c.readTPM(o.TPM); err != nil {
			return nil, err
		}
		if s.Snapshot, err = handover.ReadLive("/", front...); err != nil {
			return nil, err
		}
		if s.pcrs != nil && s.pcrs.Counter != nil {
			now, err := tpm.Counter("/")
			if err != nil {
				return nil, err
			}
			s.steady = now != nil && *now == *s.pcrs.Counter
			c.detail("TPM: %d updates, steady while the list was read: %v", *s.pcrs.Counter, s.steady)
		}
		if err := restored(carried, s.List); err != nil {
			return nil, err
		}
		if first < 0 {
			first = s.Records()
		}
		s.grew = s.Records() != first
		c.detail("list: %d records, %s", s.Records(), size(len(s.Bytes())))
		var pcrs []handover.PCR
		if s.pcrs != nil {
			pcrs = s.pcrs.PCRs
		}
		s.report = handover.Check(s.List, pcrIndex, pcrs)
		if s.report.Verdict != handover.ListAhead || try == aheadTries {
			return s, nil
		}
		c.detail("%s: reading again", s.report.Text)
		time.Sleep(aheadWait)
	}
}

// unchanged reports whether the list and the PCR are still those of s.
func (c *command) unchanged(s *snapshot, mode string) (bool, error) {
	count, err := handover.LiveCount("/")
	if err != nil {
		return false, err
	}
	if count != s.Count {
		c.step("the list has changed: %d records, %d when it was read", count, s.Count)
		return false, nil
	}
	if s.pcrs == nil {
		return true, nil
	}
	now, err := c.readTPM(mode)
	if err != nil {
		return false, err
	}
	if now == nil || !now.Same(s.pcrs) {
		c.step("PCR %d has changed", pcrIndex)
		return false, nil
	}
	return true, nil
}

// planCarry makes a plan that carries the list as it is now, and checks it first.
func (c *command) planCarry(j *job) (*archdesc.Plan, *snapshot, error) {
	s, err := c.snapshot(j.opts)
	if err != nil {
		return nil, nil, err
	}
	c.step("list: %d records in %d hops, %s; %s", s.Records(), len(s.report.Hops), size(len(s.Bytes())), s.report.Text)
	if s.pcrs != nil && len(s.pcrs.Unknown) > 0 {
		c.step("banks that cannot be replayed here: %v", s.pcrs.Unknown)
	}
	// readTPM has refused a missing TPM where one is required.
	if s.report.Verdict == handover.ListAhead && s.grew {
		return nil, nil, fmt.Errorf("%w: %s: stop what runs beside imaboot", errGrowing, s.report.Text)
	}
	if !s.report.Verdict.CanGo() {
		return nil, nil, &verdictError{s.report.Verdict, s.report.Text}
	}
	if err := c.checkMeasured(j, s.List); err != nil {
		return nil, nil, err
	}
	list, t, err := c.pack(j, s)
	if err != nil {
		return nil, nil, err
	}
	p, err := j.arch.Plan(j.machine, t, list)
	if list.Buffer != nil && list.Archive != nil && (errors.Is(err, archdesc.ErrCmdlineTooLong) || errors.Is(err, archdesc.ErrNoRoom)) {
		c.step("no room for a note on what is sent: %v", err)
		list.Archive, t.Cmdline = nil, handover.StripParam(t.Cmdline)
		p, err = j.arch.Plan(j.machine, t, list)
	}
	if err != nil {
		return nil, nil, err
	}
	c.step("plan: %d segments, list at %v (%s)", len(p.Segments), p.List.Range, p.List.Where)
	return p, s, nil
}

// loadCarry plans and loads until list and PCR have stayed the same from
// before the list was read to after the segments were loaded. After an error
// nothing of this job is loaded.
func (c *command) loadCarry(j *job) (*snapshot, error) {
	for try := range carryTries {
		if try > 0 {
			wait := carryWait << (try - 1)
			c.step("loading again in %v, %d of %d", wait, try+1, carryTries)
			time.Sleep(wait)
		}
		p, s, err := c.planCarry(j)
		if err != nil {
			return nil, orUnload(err, try > 0)
		}
		if err := loadPlan(p); err != nil {
			return nil, orUnload(err, try > 0)
		}
		c.step("loaded")
		same, err := c.unchanged(s, j.opts.TPM)
		if err != nil {
			return nil, orUnload(err, true)
		}
		if same {
			return s, nil
		}
	}
	return nil, orUnload(fmt.Errorf("%w: it changed %d times while it was loaded: stop what runs beside imaboot", errGrowing, carryTries), true)
}
