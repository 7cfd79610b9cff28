// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import "bytes"

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

var ones = bytes.Repeat([]byte{0xff}, maxDigest)

// legacyLen is what is hashed of a record of the template "ima": a digest and
// a name, padded to IMA_EVENT_NAME_LEN_MAX + 1.
const legacyLen = sha1Size + maxEventName + 1

// templateDigest hashes the template data of a record
// (ima_calc_field_array_hash of security/integrity/ima/ima_crypto.c).
func templateDigest(a Algorithm, r *Record) digest {
	if string(r.Name) != imaName {
		return a.sum(r.Data)
	}
	var b [legacyLen]byte
	copy(b[:], r.Data[:sha1Size])
	copy(b[sha1Size:], r.Data[sha1Size+4:])
	return a.sum(b[:])
}

// extended is what a kernel extends into a bank for r. In lists with SHA-1
// digests the padded forms need no hashing.
func extended(a Algorithm, form Form, r *Record) (d digest) {
	switch {
	case r.Violation() && form == FormOld:
		copy(d[:], ones[:sha1Size])
	case r.Violation():
		copy(d[:], ones[:a.Size()])
	case form == FormTrue && a == SHA1 && len(r.Digest) == sha1Size:
		copy(d[:], r.Digest) // checked apart
	case form == FormTrue:
		return templateDigest(a, r)
	case len(r.Digest) == sha1Size:
		copy(d[:], r.Digest)
	default:
		return templateDigest(SHA1, r)
	}
	return d
}

// A state is a bank's register after some records, and how it got there.
type state struct {
	pcr   digest
	forms []Form // one a hop
}

// A run is the replay of one bank.
type run struct {
	list  *List
	index uint32 // of the PCR
	bank  Algorithm
	want  []byte
	last  int // number of the last record of this PCR, 0 for none
}

// maxStates bounds the search for forms: 6 hops with any of two forms each.
const maxStates = 64

// replayed is what came out: the first record after which the register was
// equal to the PCR, -1 if it never was.
type replayed struct {
	matched int
	state
}

// replay first takes every kernel to extend true digests, which costs one
// pass. Only if that does not lead to the PCR are other forms tried, for each
// kernel apart.
func (x *run) replay() replayed {
	first := x.hop(state{}, 0, x.list.Records()+1, FormTrue)
	for range len(x.list.hops) - 1 {
		first.forms = append(first.forms, FormTrue)
	}
	if first.matched >= 0 || x.bank == SHA1 || x.want == nil {
		return first
	}
	states := []state{{}}
	for i, begin := range x.list.hops {
		end := x.list.Records() + 1
		if i+1 < len(x.list.hops) {
			end = x.list.hops[i+1]
		}
		forms := x.forms(begin, end)
		if len(states)*len(forms) > maxStates {
			// Kernels are rarely exchanged for older ones: all that
			// is left extends as the newest form does.
			forms = forms[:1]
		}
		var next []state
		for _, s := range states {
			for _, form := range forms {
				got := x.hop(s, begin, end, form)
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

// forms are those that can differ for the records from begin up to end.
func (x *run) forms(begin, end int) []Form {
	for r := range x.list.All {
		if r.Number >= begin && r.Number < end && r.PCR == x.index && r.Violation() {
			return []Form{FormTrue, FormPadded, FormOld}
		}
	}
	return []Form{FormTrue, FormPadded}
}

// hop extends the records from begin up to end.
func (x *run) hop(from state, begin, end int, form Form) replayed {
	out := replayed{matched: -1, state: from}
	out.forms = append(from.forms[:len(from.forms):len(from.forms)], form)
	if begin <= 1 && x.equal(&out.pcr) {
		out.matched = 0
	}
	for r := range x.list.All {
		if r.Number < begin || r.PCR != x.index {
			continue
		}
		if r.Number >= end {
			break
		}
		value := extended(x.bank, form, &r)
		x.bank.extend(&out.pcr, &value)
		if out.matched < 0 && x.equal(&out.pcr) {
			out.matched = r.Number
		}
	}
	return out
}

func (x *run) equal(pcr *digest) bool {
	return x.want != nil && bytes.Equal(pcr[:x.bank.Size()], x.want)
}

// firstTampered is the number of the first record whose template digest is
// not that of its data, 0 if there is none. A digest of a bank other than
// SHA-1 may be a padded one.
func firstTampered(l *List) int {
	var bank Algorithm
	for _, a := range Algorithms {
		if a.Size() == l.digest {
			bank = a
		}
	}
	for r := range l.All {
		if r.Violation() {
			continue
		}
		d := templateDigest(bank, &r)
		if bytes.Equal(d[:l.digest], r.Digest) {
			continue
		}
		if bank != SHA1 {
			d = templateDigest(SHA1, &r)
			if bytes.Equal(d[:l.digest], r.Digest) {
				continue
			}
		}
		return r.Number
	}
	return 0
}
