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
	"github.com/imaboot/imaboot/pkg/kexec"
	"github.com/imaboot/imaboot/pkg/pcr"
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
	carried *handover.Carried // nil if nothing was sent with a note
	pcrs    *tpm.Reading      // nil without a TPM
	report  *handover.Report
	grew    bool // while it was waited for
}

// values are the PCRs of s, none without a TPM.
func (s *snapshot) values() []pcr.Value {
	if s.pcrs == nil {
		return nil
	}
	return s.pcrs.PCRs
}

// own is the offset at which the running kernel's part of the list begins.
func (s *snapshot) own() int {
	if !s.carried.IsFile() {
		return 0
	}
	return len(s.carried.Bytes())
}

// readTPM follows --tpm: nil means that there is nothing to compare with.
func (c *command) readTPM(mode string) (*tpm.Reading, error) {
	if mode == "off" {
		return nil, nil
	}
	r, err := tpm.Read("/", pcrIndex)
	if errors.Is(err, tpm.ErrNoTPM) && mode == "auto" && !c.sawTPM {
		return nil, nil
	}
	if err != nil && c.sawTPM {
		return nil, fmt.Errorf("the TPM does not answer any more: %w", err)
	}
	c.sawTPM = err == nil
	if err == nil && len(r.PCRs) == 0 {
		return nil, &verdictError{handover.BankNotReplayable, fmt.Sprintf("PCR %d: the TPM has only banks that cannot be replayed here: %v", pcrIndex, r.Unknown)}
	}
	return r, err
}

// moved tells whether a PCR of the TPM was updated since its registers were
// read; where there is no counter nothing is known to have moved.
func (c *command) moved(r *tpm.Reading) bool {
	if r == nil || r.Counter == nil {
		return false
	}
	now := tpm.Counter("/")
	if now == nil {
		return false
	}
	c.detail("TPM: %d updates before the list was read, %d after", *r.Counter, *now)
	return *now != *r.Counter
}

// A sent is what ReadCarried returned.
type sent struct {
	carried *handover.Carried
	err     error
}

// carried reads what earlier kernels sent, unless it is to be left out.
func (c *command) carried(mode string) (*handover.Carried, error) {
	if mode == "off" {
		return nil, nil
	}
	if c.sent != nil {
		return c.sent.carried, c.sent.err
	}
	l, err := handover.ReadCarried("/")
	if err == nil && l != nil {
		n := l.Note
		c.detail("sent by %q with the carrier %s: %s in %s, %s (%s)", n.Kernel, n.Carrier, count(n.Records, "records"), count(n.Hop, "hops"), size(n.Bytes), l.Dir)
	}
	c.sent = &sent{l, err}
	return l, err
}

// restored compares the list with what the kernel was to restore, if that is
// known.
func restored(carried *handover.Carried, l *handover.List) error {
	if carried == nil || carried.IsFile() {
		return nil
	}
	return carried.Note.Restored(l)
}

// front are the parts of the list that the running kernel does not have, in
// their order: what came as a file, and what was deleted from its own.
func (c *command) front(o *options) ([]*handover.List, *handover.Carried, error) {
	var front []*handover.List
	carried, err := c.carried(o.Carried)
	if err != nil {
		return nil, nil, err
	}
	if carried.IsFile() {
		front = append(front, carried.List)
	}
	if o.Prefix == "" {
		return front, carried, nil
	}
	l, err := readList(o.Prefix)
	if err != nil {
		return nil, nil, err
	}
	c.detail("prefix %s: %s", o.Prefix, count(l.Records(), "records"))
	return append(front, l), carried, nil
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
		if s.pcrs, err = c.readTPM(o.TPM); err != nil {
			return nil, err
		}
		if s.Snapshot, err = handover.ReadLive("/", front...); err != nil {
			return nil, err
		}
		moved := c.moved(s.pcrs)
		if err := restored(carried, s.List); err != nil {
			return nil, err
		}
		if first < 0 {
			first = s.Records()
		}
		s.grew = s.Records() != first
		c.detail("list: %s, %s", count(s.Records(), "records"), size(len(s.Bytes())))
		s.report = handover.Check(s.List, pcrIndex, s.values())
		again := s.report.Verdict == handover.ListAhead || (moved && !s.report.Verdict.CanGo())
		if !again || try == aheadTries {
			return s, nil
		}
		c.detail("%s: reading again", s.report.Text)
		time.Sleep(aheadWait)
	}
}

// unchanged reports whether the list and the PCR are still those of s.
func (c *command) unchanged(s *snapshot, mode string) (bool, error) {
	n, err := handover.LiveCount("/")
	if err != nil {
		return false, err
	}
	if n != s.Count {
		c.step("the list has changed: %s, %d when it was read", count(n, "records"), s.Count)
		return false, nil
	}
	if s.pcrs == nil {
		return true, nil
	}
	now, err := c.readTPM(mode)
	if err != nil {
		return false, err
	}
	if !now.Same(s.pcrs) {
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
	c.step("list: %s in %s, %s; %s", count(s.Records(), "records"), count(len(s.report.Hops), "hops"), size(len(s.Bytes())), s.report.Text)
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
	if list.Buffer != nil && list.Archive != nil && j.measurement == nil && (errors.Is(err, archdesc.ErrCmdlineTooLong) || errors.Is(err, archdesc.ErrNoRoom)) {
		c.step("no room for a note on what is sent: %v", err)
		if j.events != nil {
			c.step("the event log is not handed on, either")
		}
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
func (c *command) loadCarry(j *job) (_ *snapshot, err error) {
	loaded, done := false, false
	defer func() {
		// A file of the target may also vanish under our feet.
		if loaded && !done {
			err = orUnload(err, true)
		}
	}()
	for try := range carryTries {
		if try > 0 {
			wait := carryWait << (try - 1)
			c.step("loading again in %v, %d of %d", wait, try+1, carryTries)
			time.Sleep(wait)
		}
		p, s, err := c.planCarry(j)
		if err != nil {
			return nil, err
		}
		if err := kexec.LoadPlan(p); err != nil {
			return nil, err
		}
		loaded = true
		c.step("loaded")
		if done, err = c.unchanged(s, j.opts.TPM); err != nil {
			return nil, err
		}
		if done {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%w: it changed %d times while it was loaded: stop what runs beside imaboot", errGrowing, carryTries)
}
