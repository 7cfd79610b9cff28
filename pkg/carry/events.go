// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"errors"
	"fmt"

	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/tpm"
)

// An EventReport compares an event log with the TPM.
type EventReport struct {
	Bytes     int        `json:"bytes"`
	Events    int        `json:"events"`
	Registers []Register `json:"registers"`
	// Aggregates say for each hop what its boot_aggregate is the digest of.
	Aggregates []eventlog.Aggregate `json:"boot_aggregates"`
}

// checkEvents compares an event log with the TPM, if there is one: a kernel
// that was measured before it was booted has another boot_aggregate than the
// one before it.
func (r *reader) checkEvents(report *handover.Report) (*EventReport, error) {
	if r.o.TPM == TPMOff {
		return nil, nil
	}
	given, err := r.handedLog()
	if given.data == nil || err != nil {
		return nil, err
	}
	dev, err := r.o.calls.openTPM()
	if errors.Is(err, tpm.ErrNoTPM2) {
		r.o.Log("an event log was handed on, which nothing proves without a TPM 2.0")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dev.Close()
	l, err := given.log(r.o.Root, dev)
	if err != nil {
		return nil, err
	}
	out := &EventReport{Bytes: len(l.Bytes()), Events: len(l.Events)}
	if out.Registers, err = registers(dev, l); err != nil {
		return nil, err
	}
	var aggregates []string
	for _, h := range report.Hops {
		aggregates = append(aggregates, h.BootAggregate)
	}
	out.Aggregates, err = l.ExplainAll(aggregates, func(index int, a pcr.Algorithm) ([]byte, error) {
		reading, err := tpm.ReadDevice(dev, index)
		if err != nil {
			return nil, err
		}
		for _, p := range reading.PCRs {
			if p.Algorithm == a {
				return p.Value, nil
			}
		}
		return nil, fmt.Errorf("%w: the TPM has no bank %s any more", eventlog.ErrBank, a)
	})
	return out, err
}

// err is an error if the log does not lead to what the TPM has.
func (r *EventReport) err() error {
	if r == nil {
		return nil
	}
	return firstMismatch(r.Registers)
}
