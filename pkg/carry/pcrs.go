// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"errors"
	"fmt"
	"slices"

	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
	"github.com/imaboot/imaboot/pkg/tpm"
)

// readTPM reads the registers that the list is known to use. It follows
// Options.TPM: nil means that there is nothing to compare with.
func (r *reader) readTPM() (tpm.Readings, error) {
	if r.o.TPM == TPMOff {
		return nil, nil
	}
	r.wants([]int{handover.DefaultPCR})
	all, err := r.readPCRs()
	saw := r.sawTPM || r.o.TPM == TPMSeen
	if errors.Is(err, tpm.ErrNoTPM) && r.o.TPM == TPMAuto && !saw {
		return nil, nil
	}
	if name := refusal.Of(err); saw && (name == refusal.Other || name == refusal.NoTPM) {
		return nil, fmt.Errorf("%w: %s", errTPMGone, err.Error())
	}
	r.sawTPM = r.sawTPM || err == nil
	return all, err
}

// readPCRs reads the registers, and says once which TPM it reads if that is not
// obvious. The TPM stays the same: IMA keeps the one that it found, even if that
// leaves.
func (r *reader) readPCRs() (tpm.Readings, error) {
	if r.chip == nil {
		c, err := tpm.Find(r.o.Root)
		if err != nil {
			return nil, err
		}
		if r.chip = c; c.String() != "tpm0" {
			r.o.Log("TPM: %s", c)
		}
	}
	return r.chip.Read(r.indexes...)
}

// wants adds registers to those that are read. It reports whether one is new.
func (r *reader) wants(indexes []int) bool {
	more := false
	for _, index := range indexes {
		if !slices.Contains(r.indexes, index) {
			r.indexes = append(r.indexes, index)
			more = true
		}
	}
	return more
}

// moved reports whether a PCR of the TPM was updated since the first register was
// read. Without a counter it cannot know, and says no.
func (r *reader) moved(all tpm.Readings) bool {
	if len(all) == 0 || all[0].Counter == nil {
		return false
	}
	now := r.chip.Counter()
	if now == nil {
		return false
	}
	r.o.Debug("TPM: %d updates before the list was read, %d after", *all[0].Counter, *now)
	return *now != *all[0].Counter
}

// compare compares the list with the registers that were read.
func (s *Snapshot) compare() (*handover.Report, error) {
	var others []handover.Register
	var unknown []string
	for _, r := range s.PCRs {
		switch {
		case r.Index != s.Index():
			others = append(others, handover.Register{Index: r.Index, Values: r.PCRs})
		case len(r.PCRs) == 0:
			return nil, bad(handover.BankNotReplayable, fmt.Sprintf("PCR %d: %s has only banks that cannot be replayed here: %v", r.Index, s.TPM.Name(), r.Unknown))
		default:
			unknown = r.Unknown
		}
	}
	var hint handover.Hint
	if s.Carried != nil {
		hint = s.Carried.Note.Forms
	}
	report := handover.CheckHint(s.List, hint, s.Index(), s.values(s.Index()), others...)
	report.Leave(unknown)
	return report, nil
}

// values returns the values of a register, none without a TPM.
func (s *Snapshot) values(index int) []pcr.Value {
	for _, r := range s.PCRs {
		if r.Index == index {
			return r.PCRs
		}
	}
	return nil
}
