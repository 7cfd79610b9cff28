// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/tpm"
)

// An eventReport is what verify says of an event log.
type eventReport struct {
	Bytes     int        `json:"bytes"`
	Events    int        `json:"events"`
	Registers []register `json:"registers"`
	// Aggregates say for each hop of what its boot_aggregate is the digest.
	Aggregates []eventlog.Aggregate `json:"boot_aggregates"`
}

// checkEvents compares an event log with the TPM, if there is one: a kernel
// that was measured before it was booted has another boot_aggregate than the
// one before it.
func (c *command) checkEvents(o *options, r *handover.Report) (*eventReport, error) {
	if o.TPM == "off" {
		return nil, nil
	}
	given, err := c.handedLog(o)
	if given.data == nil || err != nil {
		return nil, err
	}
	dev, err := tpm.Open("/")
	if errors.Is(err, tpm.ErrNoTPM) {
		c.step("an event log was handed on, which nothing proves without a TPM 2.0")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dev.Close()
	l, err := given.log(dev)
	if err != nil {
		return nil, err
	}
	out := &eventReport{Bytes: len(l.Bytes()), Events: len(l.Events)}
	if out.Registers, err = registers(dev, l); err != nil {
		return nil, err
	}
	var aggregates []string
	for _, h := range r.Hops {
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

// refusal is an error if the log does not lead to what the TPM has.
func (r *eventReport) refusal() error {
	if r == nil {
		return nil
	}
	return firstMismatch(r.Registers)
}

func (r *eventReport) print(out io.Writer) {
	if r == nil {
		return
	}
	texts := map[int][]string{}
	for _, x := range r.Registers {
		text := string(x.Algorithm) + " match"
		if !x.Match {
			text = string(x.Algorithm) + " no match"
		}
		texts[x.PCR] = append(texts[x.PCR], text)
	}
	fmt.Fprintf(out, "event log: %s, %d bytes; PCR 8: %s; PCR 9: %s\n", count(r.Events, "events"), r.Bytes, strings.Join(texts[8], ", "), strings.Join(texts[9], ", "))
	for i, a := range r.Aggregates {
		if a.PCRs == "" {
			fmt.Fprintf(out, "hop %d: boot_aggregate is not explained by the event log\n", i+1)
			continue
		}
		fmt.Fprintf(out, "hop %d: boot_aggregate is that of PCR %s after %s\n", i+1, a.PCRs, count(a.Events, "events"))
	}
}
