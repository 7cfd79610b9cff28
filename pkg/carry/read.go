// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"context"
	"fmt"
	"time"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/listfile"
	"github.com/imaboot/imaboot/pkg/tpm"
)

// aheadTries and aheadWait bound the wait for an extend that is under way: a
// record is in the list before it is in the TPM.
const (
	aheadTries = 20
	aheadWait  = 50 * time.Millisecond
)

// A Snapshot is the list, and what the TPM said just before it was read.
type Snapshot struct {
	*handover.Snapshot
	// Carried is what earlier kernels sent; nil if they sent no note.
	Carried *handover.Carried
	// TPM is the TPM that was read, and PCRs holds the registers that the
	// list has records of. Both are nil without a TPM.
	TPM    *tpm.Chip
	PCRs   tpm.Readings
	Report *handover.Report
	// Events compares the event log with the TPM. Only Read sets it, and
	// only where there are both.
	Events *EventReport
	// Aggregate compares the first boot_aggregate with the TPM. Only Read
	// sets it, and only if there are both.
	Aggregate *handover.AggregateReport

	mode      TPMMode
	grew      bool // while it was waited for
	moved     bool // a PCR, while the list was read
	eventsErr error
}

// Err returns nil if the list is proven, and else a refusal. Without a TPM a list
// is not proven; TPMOff asks for no proof.
func (s *Snapshot) Err() error {
	v := s.Report.Verdict
	if v != handover.Match && (v != handover.NoTPM || s.mode != TPMOff) {
		return bad(v, s.Report.Text)
	}
	if s.eventsErr != nil {
		return refuse(s.eventsErr)
	}
	if err := s.Events.err(); err != nil {
		return refuse(err)
	}
	return refuse(s.Aggregate.Err())
}

// own is the offset, in bytes, at which the running kernel's part of the list
// begins.
func (s *Snapshot) own() int {
	if !s.Carried.IsFile() {
		return 0
	}
	return len(s.Carried.Bytes())
}

// Read reads the list, with what earlier kernels sent, and compares it with the
// TPM. The verdict is in Snapshot.Report: a list that does not match is read
// without an error, and Snapshot.Err says what it amounts to.
func Read(ctx context.Context, o Options) (s *Snapshot, err error) {
	o.fill()
	err = guard(func() error {
		if err := o.check(); err != nil {
			return err
		}
		r := &reader{o: &o}
		if s, err = r.snapshot(ctx); err != nil {
			return err
		}
		s.Events, s.eventsErr = r.checkEvents(s.Report)
		s.Aggregate = r.checkAggregate(s)
		return nil
	})
	return s, err
}

// A reader reads the running kernel's list. It remembers what does not change.
type reader struct {
	o *Options
	// sawTPM: there was a TPM, so there must still be one.
	sawTPM bool
	// chip is the TPM, nil until it was found, and indexes are the registers
	// that are read: those that the list is known to have records of.
	chip    *tpm.Chip
	indexes []int
	// sent is what earlier kernels sent, which is read once, and prefix what
	// Options.Prefix holds.
	sent   *sent
	prefix *handover.List
}

type sent struct {
	carried *handover.Carried
	err     error
}

// snapshot reads PCRs and list, in this order, and compares them. A list that is
// ahead of a PCR is read again for a while. A list with records of a PCR that was
// not read is read again after that PCR.
func (r *reader) snapshot(ctx context.Context) (*Snapshot, error) {
	front, carried, err := r.front()
	if err != nil {
		return nil, err
	}
	first := -1
	for try := 1; ; try++ {
		s := &Snapshot{Carried: carried, mode: r.o.TPM}
		if s.PCRs, err = r.readTPM(); err != nil {
			return nil, err
		}
		s.TPM = r.chip
		if s.Snapshot, err = handover.ReadLive(ctx, r.o.Root, front...); err != nil {
			return nil, err
		}
		if s.PCRs != nil && r.wants(s.Registers()) {
			try--
			continue
		}
		s.moved = r.moved(s.PCRs)
		if err := restored(carried, s.List); err != nil {
			return nil, err
		}
		if first < 0 {
			first = s.Records()
		}
		s.grew = s.Records() != first
		r.o.Debug("list: %s, %s", human.Count(s.Records(), "records"), human.Size(int64(len(s.Bytes()))))
		if s.Report, err = s.compare(); err != nil {
			return nil, err
		}
		again := s.Report.Verdict == handover.ListAhead || (s.moved && !s.Report.Verdict.CanGo())
		if !again || try == aheadTries {
			return s, nil
		}
		r.o.Debug("%s: reading again", s.Report.Text)
		if err := r.o.calls.wait(ctx, aheadWait); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Report.Text, err)
		}
	}
}

// front returns the parts of the list that the running kernel does not have, in
// their order: what came as a file, and what was deleted from its own.
func (r *reader) front() ([]*handover.List, *handover.Carried, error) {
	var front []*handover.List
	carried, err := r.carried()
	if err != nil {
		return nil, nil, err
	}
	if carried.IsFile() {
		front = append(front, carried.List)
	}
	if r.o.Prefix == "" {
		return front, carried, nil
	}
	if r.prefix == nil {
		if r.prefix, err = listfile.ReadList(r.o.Prefix); err != nil {
			return nil, nil, err
		}
		r.o.Debug("prefix %s: %s", r.o.Prefix, human.Count(r.prefix.Records(), "records"))
	}
	return append(front, r.prefix), carried, nil
}

// carried reads what earlier kernels sent, unless it is to be left out.
func (r *reader) carried() (*handover.Carried, error) {
	if r.o.IgnoreCarried {
		return nil, nil
	}
	if r.sent == nil {
		l, err := handover.ReadCarried(r.o.Root)
		if err == nil && l != nil {
			n := l.Note
			r.o.Debug("sent by %q with the carrier %s: %s in %s, %s (%s)", n.Kernel, n.Carrier, human.Count(n.Records, "records"), human.Count(n.Hop, "hops"), human.Size(int64(n.Bytes)), l.Dir)
		}
		r.sent = &sent{l, err}
	}
	return r.sent.carried, r.sent.err
}

// restored compares the list with what the kernel was to restore, if a note
// says what that was.
func restored(carried *handover.Carried, l *handover.List) error {
	if carried == nil || carried.IsFile() {
		return nil
	}
	return carried.Note.Restored(l)
}
