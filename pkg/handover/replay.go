// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"slices"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// A Form is the way in which a kernel extends a bank for a record. It is the
// same for all records of one kernel, but may differ between the kernels of a
// chain: Debian's 6.1 has no SHA-384 when IMA starts and pads instead, its
// successor does not.
type Form string

const (
	// FormTrue extends the bank's own hash of the template data, and ones
	// for a violation (Linux 5.8 and later).
	FormTrue Form = "true"
	// FormPadded extends the SHA-1 template digest, padded with zeros,
	// because the kernel lacks the bank's hash. It extends ones for a
	// violation.
	FormPadded Form = "padded-sha1"
	// FormOld pads for a violation too: 20 bytes of ones, then zeros
	// (before 5.8).
	FormOld Form = "padded-sha1-old"
	// FormNone extends nothing: the kernel found no TPM when IMA started.
	FormNone Form = "none"
)

var ones = bytes.Repeat([]byte{0xff}, pcr.MaxSize)

// legacyLen is the number of bytes that are hashed for a record of the template
// "ima": a digest and a name, padded to IMA_EVENT_NAME_LEN_MAX + 1.
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

// A run is the replay of one bank of one register.
type run struct {
	list  *List
	index uint32 // number of the PCR
	bank  pcr.Algorithm
	want  []byte
	start []byte // the register before the first record; nil is zero

	hash, sha1 pcr.Hash
	// checks is set for the one bank that is extended with the list's own
	// template digests. Its replay also looks for the first digest that
	// does not match its data.
	checks   bool
	tampered int
	// first is the replay in which every kernel extends true digests.
	first replayed
	// quiet says which hops extended nothing, if another bank of the
	// register has shown that; otherwise it is nil.
	quiet []bool
	// hint has the forms of the first hops, if a hint tells them.
	hint []Form
	// buf holds what an extend hashes: the register and the new value.
	buf [2 * pcr.MaxSize]byte
}

func newRun(l *List, index int, bank pcr.Algorithm, want []byte) *run {
	return &run{list: l, index: uint32(index), bank: bank, want: want, hash: bank.Hash(), sha1: pcr.SHA1.Hash()}
}

// replayed is the result of a replay.
type replayed struct {
	// matched is the number of the first record after which the register
	// equalled the PCR, 0 if it did so before any record, or -1 if it never
	// did.
	matched int
	// value is the register after the whole list.
	value []byte
	// forms has the form of each hop; nil means that all are FormTrue.
	forms []Form
	// reset is the number, from 0, of the hop before which the register was
	// reset to zero, or 0 if there was no reset.
	reset int
	// partial means that nothing matched, but that some combinations of
	// forms were not tried.
	partial bool
}

// value writes to dst what a kernel extends for r. If the list has SHA-1
// digests, only the true form of other banks needs hashing: the digests are
// checked elsewhere.
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

// begin replays the list once, as if every kernel extended true digests. It
// does not need to know where the hops are.
func (x *run) begin() {
	n := x.bank.Size()
	reg, value, both := x.buf[:n], x.buf[n:2*n], x.buf[:2*n]
	clear(reg)
	copy(reg, x.start)
	matched := -1
	if bytes.Equal(reg, x.want) {
		matched = 0
	}
	x.list.from(1, 0, func(r *Record) bool {
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
			x.value(value, FormTrue, r)
		}
		x.hash(reg, both)
		if matched < 0 && bytes.Equal(reg, x.want) {
			matched = r.Number
		}
		return true
	})
	x.first = replayed{matched: matched, value: bytes.Clone(reg)}
}

// replay returns the result of begin. If that did not match the PCR, replay
// tries the other forms, separately for each kernel.
func (x *run) replay() replayed {
	got := x.silentTail(x.first)
	if x.want == nil || len(x.list.hops) == 0 || got.matched >= x.list.last[x.index] {
		return got
	}
	// If the PCR looks like that of a shorter list, a kernel may have
	// extended nothing.
	silent := slices.ContainsFunc(x.list.hops, func(h Hop) bool { return h.NoTPM })
	if got.matched >= 0 && !silent {
		return got
	}
	if got, ok := x.followHint(); ok {
		return x.silentTail(got)
	}
	return x.silentTail(newSearch(x).find())
}

// silentTail checks whether all kernels after the match found no TPM. If so,
// the whole list matches: those kernels extended nothing.
func (x *run) silentTail(got replayed) replayed {
	if got.forms == nil {
		got.forms = make([]Form, len(x.list.hops))
		for i := range got.forms {
			got.forms[i] = FormTrue
		}
	}
	if got.matched < 0 || got.matched >= x.list.last[x.index] {
		return got
	}
	after := make([]int, len(x.list.hops)) // number of extends after the match
	for r := range x.list.All {
		if r.PCR == x.index && r.Number > got.matched {
			after[x.list.hopOf(r.Number)]++
		}
	}
	forms := slices.Clone(got.forms)
	sure := x.list.hopsForSure()
	quiet := false
	for i, h := range x.list.hops {
		if h.First > got.matched && (sure[i] || h.NoTPM) {
			quiet = h.NoTPM
		}
		if quiet {
			forms[i] = FormNone
		} else if after[i] > 0 {
			return got
		}
	}
	got.forms, got.matched, got.value = forms, x.list.last[x.index], bytes.Clone(x.want)
	return got
}

// firstTampered returns the number of the first record whose template digest
// does not match its data, or 0 if there is none. Digests of other banks than
// SHA-1 may be padded SHA-1 digests. If no digest at all is right and they are
// not SHA-1's, they belong to an unknown hash of that size, such as SM3. In
// that case unknown is true and number is 0.
func firstTampered(l *List) (number int, unknown bool) {
	sum := pcr.SHA1.Hash()
	for _, a := range pcr.Algorithms {
		if a.Size() == l.digest {
			sum = a.Hash()
		}
	}
	right := false
	var buf [pcr.MaxSize]byte
	d := buf[:l.digest]
	for r := range l.All {
		if r.Violation() {
			continue
		}
		templateDigest(sum, d, &r)
		ok := bytes.Equal(d, r.Digest)
		if !ok && l.digest != sha1Size {
			clear(d)
			templateDigest(pcr.SHA1.Hash(), d[:sha1Size], &r)
			ok = bytes.Equal(d, r.Digest)
		}
		right = right || ok
		if !ok && number == 0 {
			number = r.Number
		}
		if number > 0 && (right || l.digest == sha1Size) {
			return number, false
		}
	}
	if number > 0 {
		return 0, true
	}
	return 0, false
}
