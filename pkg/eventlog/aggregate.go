// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package eventlog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// firmwarePCRs is the number of registers, from PCR 0, that firmware extends
// and that every boot_aggregate covers. No kernel extends them.
const firmwarePCRs = 8

// A Reader returns the value of a register in a bank.
type Reader = func(index int, a pcr.Algorithm) ([]byte, error)

// An Aggregate says which registers a boot_aggregate is the digest of.
type Aggregate struct {
	// PCRs are the registers: "0-7", or "0-9" if it includes those that a
	// kernel's loader extends. It is "" if nothing explains the
	// boot_aggregate.
	PCRs string `json:"pcrs,omitempty"`
	// Events is the number of the log's events that had been extended.
	Events int `json:"events"`
}

// ExplainAll explains the boot_aggregates of a chain of kernels, in their
// order. A boot_aggregate is the digest of the firmware's registers, which
// ExplainAll reads as they are now, and maybe of the log's registers as they
// were after some of the events. A bank
// for which read returns ErrBank, or that the log lacks, explains nothing; other
// errors of read are returned.
//
// A kernel leaves out the log's registers in the SHA-1 bank, and before Linux
// 5.8 in all banks (ima_calc_boot_aggregate_tfm of
// security/integrity/ima/ima_crypto.c).
func (l *Log) ExplainAll(aggregates []string, read Reader) ([]Aggregate, error) {
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
				got.PCRs = x.PCRs // matches at any time
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

// ExplainNow explains a boot_aggregate by the registers as they are now. It returns
// an error if a register cannot be read, or if the digest cannot be computed here.
func ExplainNow(aggregate string, read Reader) (Aggregate, error) {
	a, digest, ok := splitAggregate(aggregate)
	if !ok {
		return Aggregate{}, fmt.Errorf("%q is a digest that cannot be computed here", aggregate)
	}
	var content []byte
	for index := range FilePCR + 1 {
		switch {
		case index == firmwarePCRs && string(a.Sum(content)) == digest:
			return Aggregate{PCRs: "0-7"}, nil
		case index == firmwarePCRs && a == pcr.SHA1:
			return Aggregate{}, nil
		}
		value, err := read(index, a)
		if err != nil {
			return Aggregate{}, err
		}
		content = append(content, value...)
	}
	if string(a.Sum(content)) == digest {
		return Aggregate{PCRs: "0-9"}, nil
	}
	return Aggregate{}, nil
}

// splitAggregate parses a boot_aggregate's digest, which reports write as
// "sha256:d8e6…". Some templates have no algorithm; its size tells it.
func splitAggregate(s string) (pcr.Algorithm, string, bool) {
	name, digits, ok := strings.Cut(strings.TrimPrefix(s, "ima:"), ":")
	if !ok {
		digits = s
		for _, a := range pcr.Algorithms {
			if len(s) == 2*a.Size() {
				name = string(a)
			}
		}
	}
	p, err := pcr.New(name, digits)
	return p.Algorithm, string(p.Value), err == nil
}

// aggregates returns all boot_aggregates that are possible in a bank, by
// digest.
func (l *Log) aggregates(a pcr.Algorithm, read Reader) (map[string][]Aggregate, error) {
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
	if a == pcr.SHA1 || !l.has(a) {
		return out, nil
	}
	values := map[int][]byte{StringPCR: make([]byte, a.Size()), FilePCR: make([]byte, a.Size())}
	for n := 0; ; n++ {
		add(Aggregate{"0-9", n}, slices.Concat(head, values[StringPCR], values[FilePCR]))
		if n == len(l.Events) {
			return out, nil
		}
		e := l.Events[n]
		value, used := values[e.PCR]
		if !used {
			continue
		}
		var ok bool
		if values[e.PCR], ok = e.extend(value, a); !ok {
			return out, nil // nobody knows what it extended
		}
	}
}
