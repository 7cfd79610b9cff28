// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/hex"
)

// DefaultPCR is the register that kernels extend unless they are built with
// another CONFIG_IMA_MEASURE_PCR_IDX.
const DefaultPCR = 10

// A Hop is the part of the list that one kernel measured.
type Hop struct {
	First int `json:"first_record"`
	// Offset is that of the first record, in bytes.
	Offset        int    `json:"offset"`
	Records       int    `json:"records"`
	Violations    int    `json:"violations"`
	BootAggregate string `json:"boot_aggregate,omitempty"`
	// NoTPM: the boot_aggregate is zero, as a kernel writes it that finds no
	// TPM when IMA starts (ima_add_boot_aggregate). Such a kernel extends
	// nothing. It is zero as well if the TPM has no bank that the kernel can
	// use for it; then the kernel does extend. Only a replay tells.
	NoTPM bool `json:"no_tpm,omitempty"`
	// Kernel is the release of the kernel, where it measured that: with
	// rules for critical data (ima_init.c, kernel_version).
	Kernel string `json:"kernel,omitempty"`
}

// Index is the register of the kernels' own records: that of the first record
// if it is a boot_aggregate, else DefaultPCR.
func (l *List) Index() int { return int(l.index) }

// begin tells whether a record begins a hop, and describes that hop. A file can
// have the name of a boot_aggregate: the kernel takes a bare name where it
// cannot resolve a path. So this is where a hop can begin, and replays must not
// rely on it; but such a record never has a zero digest.
func (l *List) begin(r *Record) {
	begins := r.BootAggregate()
	if r.Number == 1 {
		l.index = DefaultPCR
		if begins {
			l.index = r.PCR
		}
		l.trimmed = !begins && r.nameKnown()
	}
	begins = begins && r.PCR == l.index && !r.Violation()
	if !begins && r.Number > 1 {
		return
	}
	h := Hop{First: r.Number, Offset: r.Offset}
	if begins {
		h.BootAggregate, h.NoTPM = r.aggregate()
		if n := len(l.hops); n > 0 && l.hops[n-1].BootAggregate == h.BootAggregate {
			h.BootAggregate = l.hops[n-1].BootAggregate // the same memory
		}
	}
	l.hops = append(l.hops, h)
}

// hopsForSure tells which hops a kernel began, and no file that is called
// boot_aggregate: such a file has a digest that is not zero and that no other
// has, and what a kernel says of its release follows a kernel's.
func (l *List) hopsForSure() []bool {
	known := map[string]int{}
	for _, h := range l.hops {
		known[h.BootAggregate]++
	}
	sure := make([]bool, len(l.hops))
	for i, h := range l.hops {
		sure[i] = i == 0 || h.NoTPM || h.Kernel != "" || known[h.BootAggregate] > 1
	}
	return sure
}

// BootAggregate reports whether the record is called as the first of a
// kernel's own. Kernels that start IMA late call it boot_aggregate_late.
func (r *Record) BootAggregate() bool {
	const name, late = "boot_aggregate", "boot_aggregate_late"
	if len(r.Data) < len(name) {
		return false
	}
	is := func(field []byte) bool {
		if n := len(field); n > 0 && field[n-1] == 0 {
			field = field[:n-1]
		}
		return string(field) == name || string(field) == late
	}
	if field, ok := r.nameField(); ok {
		return is(field)
	}
	// Which field of an unknown template is the name is not known.
	if !bytes.Contains(r.Data, []byte(name)) {
		return false
	}
	for rest := r.Data; len(rest) > 0; {
		value, after, err := r.cut(rest)
		if err != nil {
			return false
		}
		if is(value) {
			return true
		}
		rest = after
	}
	return false
}

// nameKnown reports whether the template says which field is the name.
func (r *Record) nameKnown() bool {
	_, ok := r.nameField()
	return ok
}

// aggregate is the digest of a boot_aggregate as text, "" for a template
// without one, and whether it is zero.
func (r *Record) aggregate() (text string, zero bool) {
	all, err := r.Fields()
	if err != nil {
		return "", false
	}
	for _, f := range all {
		switch f.ID {
		case "d":
			return hex.EncodeToString(f.Data), len(f.Data) > 0 && allZero(f.Data)
		case "d-ng", "d-ngv2":
			algorithm, digest, ok := splitDigest(f.Data)
			if !ok || !plain(algorithm) {
				return hex.EncodeToString(f.Data), false
			}
			return algorithm + ":" + hex.EncodeToString(digest), len(digest) > 0 && allZero(digest)
		}
	}
	return "", false
}

// plain reports whether a text can be the name of an algorithm (hash_algo_name
// of crypto/hash_info.c) with a prefix. Others are not printed as they are.
func plain(name string) bool {
	for _, c := range name {
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != ':' {
			return false
		}
	}
	return name != ""
}
