// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package handover reads IMA's measurement list, checks it against the TPM
// and wraps it for the next kernel.
//
// The list is the kernel's binary_runtime_measurements: records back to back,
// without a header (security/integrity/ima/ima_fs.c, ima_measurements_show).
// Template digests cover the bytes of the list as they are, so nothing is
// copied or decoded for hashing.
package handover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// Faults of a list. Each comes inside a *RecordError.
var (
	// ErrTruncated means that a length reaches beyond the end of the list.
	ErrTruncated = refusal.New(refusal.DamagedList, "list is cut short")
	// ErrCorrupt means that the list holds a value that no kernel writes.
	ErrCorrupt = refusal.New(refusal.DamagedList, "list is corrupt")
	// ErrCannotCarry means that the next kernel would drop or damage a
	// record.
	ErrCannotCarry = refusal.New(refusal.CannotBeCarried, "list cannot be carried")
)

// A RecordError says where in a list an error is.
type RecordError struct {
	// Record is the number of the record, counted from 1.
	Record int
	// Offset is the record's first byte, counted from the start of the
	// list.
	Offset int
	Err    error
}

// Error implements error.
func (e *RecordError) Error() string {
	return fmt.Sprintf("record %d at offset %d: %v", e.Record, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *RecordError) Unwrap() error { return e.Err }

const (
	// sha1Size is the digest size of the list that the kernel carries.
	sha1Size = 20

	// maxPCR is the last register of a TPM.
	maxPCR = 23

	// maxName bounds the length of template names. The longest format of a
	// custom template is far shorter.
	maxName = 255

	// imaName is the one template whose records do not say how long their
	// data is.
	imaName = "ima"
)

// A List is a parsed measurement list. Its records share its memory.
type List struct {
	data   []byte
	head   []byte // HeaderSize bytes directly in front of data, or nil
	order  binary.ByteOrder
	digest int
	passed func(from, to int) // of ParseAndCheck

	records    int
	violations int
	index      uint32 // number of the PCR that the kernels extend
	trimmed    bool
	hops       []Hop
	last       [maxPCR + 1]int // number of the last record of each PCR
	count      [maxPCR + 1]int // number of records of each PCR
}

// Parse reads a list with SHA-1 template digests, as the kernel shows it by
// default and carries it. It checks every length and detects the byte order
// from the first record. Its errors are of type *RecordError.
func Parse(data []byte) (*List, error) { return ParseDigestSize(data, sha1Size) }

// IndexOf returns what List.Index will return for a list that Parse can read. It
// reads one record.
func IndexOf(data []byte) int {
	l := &List{data: data, digest: sha1Size, order: detectOrder(data, sha1Size)}
	r := Record{order: l.order}
	if l.next(&r, 0) != nil {
		return DefaultPCR
	}
	r.Number = 1
	l.begin(&r)
	return l.Index()
}

// ParseAny reads a list whose digest size is not known: it tries the sizes of
// all algorithms. If none fits, it returns the error of the attempt that read
// the most records. If none read a record, it prefers a size with which the first
// record at least begins like one.
func ParseAny(data []byte) (*List, error) {
	l, worst := Parse(data)
	if worst == nil {
		return l, nil
	}
	far := 0
	_, begins := firstOrder(data, sha1Size)
	for _, a := range pcr.Algorithms {
		l, err := ParseDigestSize(data, a.Size())
		if err == nil {
			return l, nil
		}
		var at *RecordError
		_, ok := firstOrder(data, a.Size())
		if !errors.As(err, &at) || at.Offset <= far && (begins || !ok) {
			continue
		}
		worst, far, begins = err, at.Offset, true
		if a.Size() != sha1Size {
			worst = fmt.Errorf("digests of %d bytes: %w", a.Size(), err)
		}
	}
	return nil, worst
}

// ParseDigestSize reads a list whose template digests have size bytes. The
// kernel shows such a list for every bank, in a file of its own.
func ParseDigestSize(data []byte, size int) (*List, error) {
	l := newList(data, size)
	if err := l.parse(); err != nil {
		return nil, err
	}
	return l, nil
}

// newList returns a list of which only the bytes are known.
func newList(data []byte, digest int) *List {
	return &List{data: data, digest: digest, order: detectOrder(data, digest), index: DefaultPCR}
}

func (l *List) parse() error {
	r := Record{order: l.order}
	p := l.newPass(0)
	for off := 0; off < len(l.data); off = r.Offset + len(r.Raw) {
		p.at(off)
		if err := l.next(&r, off); err != nil {
			return &RecordError{Record: l.records + 1, Offset: off, Err: err}
		}
		l.records++
		r.Number = l.records
		l.tally(&r)
	}
	return nil
}

// tally collects what a report says about every record, so that the list is
// read only once.
func (l *List) tally(r *Record) {
	l.begin(r)
	h := &l.hops[len(l.hops)-1]
	h.Records++
	if r.Violation() {
		h.Violations++
		l.violations++
	}
	if h.Kernel == "" && r.isBuffer("kernel_version") {
		h.Kernel, _ = r.content() // fails for a record that no kernel wrote
	}
	l.last[r.PCR] = r.Number
	l.count[r.PCR]++
}

// detectOrder detects the byte order from the first record. It is little-endian
// if the record says nothing.
func detectOrder(data []byte, digest int) binary.ByteOrder {
	order, _ := firstOrder(data, digest)
	return order
}

// firstOrder returns the byte order in which the PCR index of the first record
// and the length of its template name are small. It returns false if they are
// small in neither.
func firstOrder(data []byte, digest int) (binary.ByteOrder, bool) {
	if len(data) >= 8+digest {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			if order.Uint32(data) <= maxPCR && order.Uint32(data[4+digest:]) <= maxName {
				return order, true
			}
		}
	}
	return binary.LittleEndian, false
}

// Bytes returns the list's bytes, unchanged. They are not a copy.
func (l *List) Bytes() []byte { return l.data }

// Records returns the number of records.
func (l *List) Records() int { return l.records }

// Violations returns the number of violation records.
func (l *List) Violations() int { return l.violations }

// ByteOrder returns the byte order of all lengths in the list. It is the
// kernel's own order, or little-endian with ima_canonical_fmt.
func (l *List) ByteOrder() binary.ByteOrder { return l.order }

// Trimmed reports whether the first record is something other than a
// boot_aggregate: earlier records were deleted, or lost on the way. It is false
// if the first record's name is not known because its template is unknown.
func (l *List) Trimmed() bool { return l.trimmed }

// All calls yield for each record until it returns false; use it with range. It
// allocates nothing.
func (l *List) All(yield func(Record) bool) {
	r := Record{order: l.order}
	p := l.newPass(0)
	for off := 0; off < len(l.data); off = r.Offset + len(r.Raw) {
		p.at(off)
		if l.next(&r, off) != nil {
			return // cannot happen after Parse
		}
		r.Number++
		if !yield(r) {
			return
		}
	}
}

// from is like All, for replays. It starts at a record whose number and offset
// are known, and passes the same Record to every call of yield.
func (l *List) from(number, offset int, yield func(*Record) bool) {
	r := Record{order: l.order}
	p := l.newPass(offset)
	for off := offset; off < len(l.data); off = r.Offset + len(r.Raw) {
		p.at(off)
		if l.next(&r, off) != nil {
			return // cannot happen after Parse
		}
		r.Number = number
		number++
		if !yield(&r) {
			return
		}
	}
}

// A Record is one measurement. All its slices share the list's memory.
type Record struct {
	// Number counts from 1. Offset is in bytes from the start of the list.
	Number, Offset int
	// Raw is the whole record.
	Raw []byte
	// PCR is the register that the record was extended into.
	PCR uint32
	// Digest is the template digest.
	Digest []byte
	// Name is the template's name; that of a custom template is its format.
	Name []byte
	// Data is the template data. For the template "ima" it is a digest of
	// 20 bytes, a length of 4 bytes and a name.
	Data []byte

	order binary.ByteOrder
}

// next reads the record at off and sets all of r but its number. It is one long
// function because it runs several times for each record.
func (l *List) next(r *Record, off int) error {
	b := l.data[off:]
	fixed := 4 + l.digest + 4
	if len(b) < fixed {
		return fmt.Errorf("%w: PCR index, template digest and name length need %d bytes, but %d are left", ErrTruncated, fixed, len(b))
	}
	index := l.order.Uint32(b)
	if index > maxPCR {
		return fmt.Errorf("%w: PCR index %d", ErrCorrupt, index)
	}
	n := l.order.Uint32(b[fixed-4:])
	if n == 0 {
		return nameless(b)
	}
	if n > maxName {
		return fmt.Errorf("%w: template name of %d bytes", ErrCorrupt, n)
	}
	start := fixed + int(n)
	if start > len(b) {
		return fmt.Errorf("%w: template name of %d bytes, but %d are left", ErrTruncated, n, len(b)-fixed)
	}
	name := b[fixed:start:start]
	end := start
	if string(name) == imaName {
		end += sha1Size // then comes the length of the event name
	}
	if end+4 > len(b) {
		return fmt.Errorf("%w: template data ends after %d bytes", ErrTruncated, len(b)-start)
	}
	n = l.order.Uint32(b[end:])
	if end == start {
		start += 4
	} else if n > maxEventName {
		return fmt.Errorf("%w: event name of %d bytes", ErrCorrupt, n)
	}
	end += 4
	if uint64(n) > uint64(len(b)-end) {
		return fmt.Errorf("%w: template data of %d bytes, but %d are left", ErrTruncated, n, len(b)-end)
	}
	end += int(n)
	r.Offset, r.Raw, r.PCR = off, b[:end:end], index
	r.Digest, r.Name, r.Data = b[4:4+l.digest:4+l.digest], name, b[start:end:end]
	return nil
}

// zeros is as long as the longest digest.
var zeros [pcr.MaxSize]byte

// Violation reports whether the record stands for a measurement that could
// not be made: its template digest is zero, and the PCR was extended with
// ones (ima_add_violation).
func (r *Record) Violation() bool { return bytes.Equal(r.Digest, zeros[:len(r.Digest)]) }

// nameless returns an error for a record whose template has no name; no kernel
// writes one. A copy in whole blocks has zeros after the list.
func nameless(rest []byte) error {
	if allZero(rest) {
		return fmt.Errorf("%w: %d zero bytes after the last record", ErrCorrupt, len(rest))
	}
	return fmt.Errorf("%w: the template has no name", ErrCorrupt)
}
