// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package offline

import (
	"bytes"
	"fmt"

	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
)

// aggregate compares the first boot_aggregate with the registers that are given. It
// returns nil if none of them is, or if there is no such boot_aggregate.
func (c *comparison) aggregate(r *handover.Report) *handover.AggregateReport {
	if !c.hasFirmware() {
		return nil
	}
	zero := true
	got := r.CompareAggregate(func(index int, a pcr.Algorithm) ([]byte, error) {
		value, ok := c.values.Find(index, a)
		if !ok {
			return nil, fmt.Errorf("PCR %d of %s is not given", index, a)
		}
		zero = zero && len(bytes.Trim(value, "\x00")) == 0
		return value, nil
	}, func() []*eventlog.Log { return nil })
	if zero && got.Err() != nil {
		// Files for evmctl need all registers, so people fill them up.
		return &handover.AggregateReport{Text: "boot_aggregate was not compared: PCRs 0 to 9 are all given as zero"}
	}
	return got
}

func (c *comparison) hasFirmware() bool {
	for index := range eventlog.FilePCR + 1 {
		if c.values.Register(index) != nil {
			return true
		}
	}
	return false
}
