// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package eventlog

import (
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/handover"
)

// firmwarePCRs are the first registers of a boot_aggregate, which no kernel
// extends.
const firmwarePCRs = 8

// SplitAggregate takes a boot_aggregate's digest apart, as reports have it:
// "sha256:d8e6…".
func SplitAggregate(s string) (handover.Algorithm, []byte, bool) {
	name, digits, ok := strings.Cut(strings.TrimPrefix(s, "ima:"), ":")
	if !ok {
		name, digits = string(handover.SHA1), s
	}
	p, err := handover.NewPCR(name, digits)
	return p.Algorithm, p.Value, err == nil
}

// An Aggregate says of what a boot_aggregate is the digest.
type Aggregate struct {
	// PCRs are the registers: "0-7", or with what a kernel's loader extends
	// "0-9"; "" if it is of something else.
	PCRs string `json:"pcrs,omitempty"`
	// Events is how many events of the log had been extended.
	Events int `json:"events"`
}

// Explain finds what a boot_aggregate is of: the firmware's registers, as they
// are now in its bank, and the log's after so many events, at least from of
// them. A kernel leaves out the log's registers in the SHA-1 bank, and before
// Linux 5.8 in all (ima_calc_boot_aggregate_tfm of
// security/integrity/ima/ima_crypto.c).
func (l *Log) Explain(a handover.Algorithm, want []byte, firmware [][]byte, from int) (Aggregate, error) {
	head := slices.Concat(firmware...)
	if slices.Equal(a.Sum(head), want) {
		return Aggregate{PCRs: "0-7", Events: from}, nil
	}
	for n := from; n <= len(l.Events); n++ {
		all := slices.Clone(head)
		for _, pcr := range []int{StringPCR, FilePCR} {
			value, err := l.Replay(pcr, a, n)
			if err != nil {
				return Aggregate{}, err
			}
			all = append(all, value...)
		}
		if slices.Equal(a.Sum(all), want) {
			return Aggregate{PCRs: "0-9", Events: n}, nil
		}
	}
	return Aggregate{Events: from}, nil
}

// ExplainAll explains one boot_aggregate a kernel, in their order. read gives
// a register's value in a bank as it is now.
func (l *Log) ExplainAll(aggregates []string, read func(pcr int, a handover.Algorithm) ([]byte, error)) ([]Aggregate, error) {
	out := make([]Aggregate, 0, len(aggregates))
	firmware := map[handover.Algorithm][][]byte{}
	from := 0
	for _, s := range aggregates {
		a, want, ok := SplitAggregate(s)
		if !ok {
			// Not a digest of any bank, or no boot_aggregate at all.
			out = append(out, Aggregate{Events: from})
			continue
		}
		for pcr := len(firmware[a]); pcr < firmwarePCRs; pcr++ {
			value, err := read(pcr, a)
			if err != nil {
				return nil, err
			}
			firmware[a] = append(firmware[a], value)
		}
		got, err := l.Explain(a, want, firmware[a], from)
		if err != nil {
			return nil, err
		}
		from = got.Events
		out = append(out, got)
	}
	return out, nil
}
