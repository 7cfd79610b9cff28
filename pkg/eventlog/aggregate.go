// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package eventlog

import (
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// firmwarePCRs are the first registers of a boot_aggregate, which no kernel
// extends.
const firmwarePCRs = 8

// An Aggregate says of what a boot_aggregate is the digest.
type Aggregate struct {
	// PCRs are the registers: "0-7", or with what a kernel's loader extends
	// "0-9"; "" if it is of something else.
	PCRs string `json:"pcrs,omitempty"`
	// Events is how many events of the log had been extended.
	Events int `json:"events"`
}

// ExplainAll finds of what boot_aggregates are the digests, one a kernel in
// their order: of the firmware's registers, as they are now, and of the log's
// after so many events. read gives a register's value in a bank; a bank that
// it says ErrBank of, or that the log lacks, explains nothing.
//
// A kernel leaves out the log's registers in the SHA-1 bank, and before Linux
// 5.8 in all (ima_calc_boot_aggregate_tfm of
// security/integrity/ima/ima_crypto.c).
func (l *Log) ExplainAll(aggregates []string, read func(index int, a pcr.Algorithm) ([]byte, error)) ([]Aggregate, error) {
	out := make([]Aggregate, 0, len(aggregates))
	banks := map[pcr.Algorithm]map[string][]Aggregate{}
	from := 0
	for _, s := range aggregates {
		a, digest, ok := splitAggregate(s)
		if ok && banks[a] == nil {
			var err error
			if banks[a], err = l.aggregates(a, read); err != nil {
				return nil, err
			}
		}
		got := Aggregate{Events: from}
		for _, x := range banks[a][digest] {
			if x.PCRs == "0-7" {
				got.PCRs = x.PCRs // at any time
				break
			}
			if x.Events >= from {
				got = x
				break
			}
		}
		from = got.Events
		out = append(out, got)
	}
	return out, nil
}

// splitAggregate takes a boot_aggregate's digest apart, as reports have it:
// "sha256:d8e6…".
func splitAggregate(s string) (pcr.Algorithm, string, bool) {
	name, digits, ok := strings.Cut(strings.TrimPrefix(s, "ima:"), ":")
	if !ok {
		name, digits = string(pcr.SHA1), s
	}
	p, err := pcr.New(name, digits)
	return p.Algorithm, string(p.Value), err == nil
}

// aggregates are all that kernels could have had in a bank, by their digest.
func (l *Log) aggregates(a pcr.Algorithm, read func(int, pcr.Algorithm) ([]byte, error)) (map[string][]Aggregate, error) {
	var head []byte
	out := map[string][]Aggregate{}
	for index := range firmwarePCRs {
		value, err := read(index, a)
		if noBank(err) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		head = append(head, value...)
	}
	add := func(x Aggregate, content []byte) {
		digest := string(a.Sum(content))
		out[digest] = append(out[digest], x)
	}
	add(Aggregate{PCRs: "0-7"}, head)
	i := l.bank(a)
	if i < 0 {
		return out, nil
	}
	values := map[int][]byte{StringPCR: make([]byte, a.Size()), FilePCR: make([]byte, a.Size())}
	for n := 0; ; n++ {
		add(Aggregate{"0-9", n}, slices.Concat(head, values[StringPCR], values[FilePCR]))
		if n == len(l.Events) {
			return out, nil
		}
		if e := l.Events[n]; values[e.PCR] != nil {
			values[e.PCR] = e.extend(values[e.PCR], a, i)
		}
	}
}
