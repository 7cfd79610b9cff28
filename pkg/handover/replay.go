// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"math"
	"slices"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// A Form is what a kernel extends into a bank for a record. It is the same
// for all records of one kernel, but kernels of a chain differ: Debian's 6.1
// lacks SHA-384 when IMA starts and pads, its successor does not.
type Form string

const (
	// FormTrue is the bank's own hash of the template data, and ones for a
	// violation (Linux 5.8 and later).
	FormTrue Form = "true"
	// FormPadded is the SHA-1 template digest, padded with zeros, where the
	// kernel lacks the bank's hash; ones for a violation.
	FormPadded Form = "padded-sha1"
	// FormOld is padded also for a violation: 20 bytes of ones (before 5.8).
	FormOld Form = "padded-sha1-old"
)

var ones = bytes.Repeat([]byte{0xff}, pcr.MaxSize)

// legacyLen is what is hashed of a record of the template "ima": a digest and
// a name, padded to IMA_EVENT_NAME_LEN_MAX + 1.
const legacyLen = sha1Size + maxEventName + 1

// templateDigest writes the digest of a record's template data to dst
// (ima_calc_field_array_hash of security/integrity/ima/ima_crypto.c).
func templateDigest(h pcr.Hash, dst []byte, r *Record) {
	if string(r.Name) != imaName {
		h(dst, r.Data)
		return
	}
	b := make([]byte, legacyLen)
	copy(b, r.Data[:sha1Size])
	copy(b[sha1Size:], r.Data[sha1Size+4:])
	h(dst, b)
}

// A run is the replay of one bank.
type run struct {
	list  *List
	index uint32 // of the PCR
	bank  pcr.Algorithm
	want  []byte

	hash, sha1 pcr.Hash
	// checks is set for the one bank whose values are the template digests
	// of the list: it looks for the first that is not that of its data.
	checks   bool
	tampered int
	// first is the replay with every kernel extending true digests.
	first replayed
	// buf is what an extend hashes: the register and the new value.
	buf [2 * pcr.MaxSize]byte
}

func newRun(l *List, index int, bank pcr.Algorithm, want []byte) *run {
	return &run{list: l, index: uint32(index), bank: bank, want: want, hash: bank.Hash(), sha1: pcr.SHA1.Hash()}
}

// value writes to dst what a kernel extends for r. In lists with SHA-1
// digests the padded forms need no hashing, nor does the SHA-1 bank: digests
// are checked apart.
func (x *run) value(dst []byte, form Form, r *Record) {
	violation := r.Violation()
	if form != FormTrue || x.bank == pcr.SHA1 {
		clear(dst)
	}
	switch {
	case violation && form == FormOld:
		copy(dst, ones[:sha1Size])
	case violation:
		copy(dst, ones)
	case form == FormTrue && x.bank != pcr.SHA1:
		templateDigest(x.hash, dst, r)
	case len(r.Digest) == sha1Size:
		copy(dst, r.Digest)
	default:
		templateDigest(x.sha1, dst[:sha1Size], r)
	}
}

// A state is a bank's register after some records, and how it got there.
type state struct {
	pcr   [pcr.MaxSize]byte
	forms []Form // one a hop
}

// maxStates bounds the search for forms: 6 hops with any of two forms each.
const maxStates = 64

// replayed is what came out: the first record after which the register was
// equal to the PCR, -1 if it never was.
type replayed struct {
	matched int
	state
}

// begin takes every kernel to extend true digests, which costs one pass.
func (x *run) begin() {
	x.first = x.extend(state{}, part{1, 0, math.MaxInt}, FormTrue)
}

// replay is what begin came to. Only if that did not lead to the PCR are other
// forms tried, for each kernel apart.
func (x *run) replay() replayed {
	first := x.first
	for range len(x.list.hops) - 1 {
		first.forms = append(first.forms, FormTrue)
	}
	if first.matched >= 0 || x.bank == pcr.SHA1 || x.want == nil {
		return first
	}
	states := []state{{}}
	for _, h := range x.list.hops {
		p := part{h.First, h.Offset, h.First + h.Records}
		forms := []Form{FormTrue, FormPadded}
		if h.Violations > 0 {
			forms = append(forms, FormOld)
		}
		if len(states)*len(forms) > maxStates {
			// Kernels are rarely exchanged for older ones: all that
			// is left extends as the newest form does.
			forms = forms[:1]
		}
		var next []state
		for _, s := range states {
			for _, form := range forms {
				got := x.extend(s, p, form)
				if got.matched >= 0 {
					return got
				}
				next = append(next, got.state)
			}
		}
		states = next
	}
	return first
}

// A part are the records from number begin, at offset, up to number end.
type part struct{ begin, offset, end int }

// extend extends a part of the list.
func (x *run) extend(from state, p part, form Form) replayed {
	out := replayed{matched: -1, state: from}
	out.forms = append(slices.Clip(from.forms), form)
	n := x.bank.Size()
	reg, value, both := x.buf[:n], x.buf[n:2*n], x.buf[:2*n]
	copy(reg, from.pcr[:])
	if p.begin == 1 && bytes.Equal(reg, x.want) {
		out.matched = 0
	}
	x.list.from(p.begin, p.offset, func(r *Record) bool {
		if r.Number >= p.end {
			return false
		}
		hashed := x.checks && !r.Violation()
		if hashed {
			templateDigest(x.hash, value, r)
			if x.tampered == 0 && !bytes.Equal(value, r.Digest) {
				x.tampered = r.Number
			}
		}
		if r.PCR != x.index {
			return true
		}
		if !hashed {
			x.value(value, form, r)
		}
		x.hash(reg, both)
		if out.matched < 0 && bytes.Equal(reg, x.want) {
			out.matched = r.Number
		}
		return true
	})
	copy(out.pcr[:], reg)
	return out
}

// firstTampered is the number of the first record whose template digest is
// not that of its data, 0 if there is none. A digest of a bank other than
// SHA-1 may be a padded one.
func firstTampered(l *List) int {
	sum := pcr.SHA1.Hash()
	for _, a := range pcr.Algorithms {
		if a.Size() == l.digest {
			sum = a.Hash()
		}
	}
	var buf [pcr.MaxSize]byte
	d := buf[:l.digest]
	for r := range l.All {
		if templateDigest(sum, d, &r); bytes.Equal(d, r.Digest) || r.Violation() {
			continue
		}
		if l.digest != sha1Size {
			clear(d)
			templateDigest(pcr.SHA1.Hash(), d[:sha1Size], &r)
			if bytes.Equal(d, r.Digest) {
				continue
			}
		}
		return r.Number
	}
	return 0
}
