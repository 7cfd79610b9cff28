// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"errors"
	"fmt"
	"os"

	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
)

// checkAggregate compares the first boot_aggregate with the TPM. It returns nil if
// there is no TPM, or no such boot_aggregate.
func (r *reader) checkAggregate(s *Snapshot) *handover.AggregateReport {
	if s.PCRs == nil {
		return nil
	}
	all := make([]int, eventlog.FilePCR+1)
	for i := range all {
		all[i] = i
	}
	now, err := r.chip.Read(all...)
	return s.Report.CompareAggregate(func(index int, a pcr.Algorithm) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		for _, p := range now[index].PCRs {
			if p.Algorithm == a {
				return p.Value, nil
			}
		}
		return nil, fmt.Errorf("%s has no bank %s", r.chip.Name(), a)
	}, r.eventLogs)
}

// eventLogs returns all logs that may tell what PCRs 8 and 9 were: one that was
// handed on, and the firmware's. A log that cannot be read tells nothing.
func (r *reader) eventLogs() []*eventlog.Log {
	var all [][]byte
	if given, err := r.handedLog(); err == nil && given.data != nil {
		all = append(all, given.data)
	}
	if b, err := os.ReadFile(r.chip.FirmwareLog()); err == nil {
		all = append(all, b)
	} else if !errors.Is(err, os.ErrNotExist) {
		r.o.Debug("firmware's event log: %v", err)
	}
	var out []*eventlog.Log
	for _, b := range all {
		if l, err := eventlog.Parse(b); err == nil {
			out = append(out, l)
		}
	}
	return out
}
