// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/hex"
)

// DefaultPCR is the register that a kernel extends unless it was built with
// another CONFIG_IMA_MEASURE_PCR_IDX.
const DefaultPCR = 10

// The range of CONFIG_IMA_MEASURE_PCR_IDX (security/integrity/ima/Kconfig).
const (
	minIndex = 8
	maxIndex = 14
)

// lastProving is the last register that proves records. Software can reset PCRs
// 16 and 23, and those in between begin anew with a dynamic root of trust (TCG PC
// Client Platform TPM Profile, 4.6.2).
const lastProving = 15

// A Hop is the part of the list that one kernel measured.
type Hop struct {
	First int `json:"first_record"`
	// Offset is the first byte of the hop's first record in the list.
	Offset        int    `json:"offset"`
	Records       int    `json:"records"`
	Violations    int    `json:"violations"`
	BootAggregate string `json:"boot_aggregate,omitempty"`
	// NoTPM is set if the boot_aggregate is zero. A kernel that finds no
	// TPM when IMA starts writes that (ima_add_boot_aggregate), and extends
	// nothing. A kernel that can use no bank of the TPM for the
	// boot_aggregate writes it too, but does extend. Only a replay tells
	// them apart.
	NoTPM bool `json:"no_tpm,omitempty"`
	// Kernel is the release of the kernel. It is known only if a rule for
	// critical data made the kernel measure it (ima_init.c,
	// kernel_version).
	Kernel string `json:"kernel,omitempty"`
}

// Index returns the register that the kernels extend: that of the first record
// if it is a boot_aggregate and kernels can be built for it, otherwise DefaultPCR.
func (l *List) Index() int { return int(l.index) }

// Registers returns the numbers of the registers that can prove records of the
// list, that of Index first.
func (l *List) Registers() []int {
	out := []int{l.Index()}
	for index, n := range l.count[:lastProving+1] {
		if n > 0 && index != l.Index() {
			out = append(out, index)
		}
	}
	return out
}

// begin adds a hop if the record may begin one. A file can also be recorded as
// boot_aggregate, because the kernel uses the bare name if it cannot resolve a
// path. Replays must therefore not rely on these boundaries. But such a file
// never has a zero digest.
func (l *List) begin(r *Record) {
	begins := r.BootAggregate()
	if r.Number == 1 {
		l.index = DefaultPCR
		if begins && minIndex <= r.PCR && r.PCR <= maxIndex {
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

// hopsForSure says which hops certainly begin with a kernel, and not with a
// file that is called boot_aggregate. The digest of such a file is not zero and
// occurs only once, and a kernel's release follows only a kernel's own record.
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

// BootAggregate reports whether the record has the name of the first record
// that a kernel measures. Kernels that start IMA late call it
// boot_aggregate_late.
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
	// If the template is unknown, any field may be the name.
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

// aggregate returns the digest of a boot_aggregate as text, and whether it is
// zero. The text is "" if the template has no digest.
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
