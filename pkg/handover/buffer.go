// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// HeaderSize is the size of struct ima_kexec_hdr, in bytes.
const HeaderSize = 24

// Offsets in struct ima_kexec_hdr (security/integrity/ima/ima.h). Its numbers
// are in the byte order of the list.
const (
	hdrVersion = 0  // u16
	hdrSize    = 8  // u64, includes the header
	hdrCount   = 16 // u64
	version    = 1
)

// maxCarriedName is the length of the longest template name that the next
// kernel accepts: MAX_TEMPLATE_NAME_LEN of
// security/integrity/ima/ima_template.c.
const maxCarriedName = 68

// ErrBuffer is wrapped by all errors about a kexec buffer.
var ErrBuffer = refusal.New(refusal.DamagedList, "bad kexec buffer")

// Buffer returns the list as the next kernel accepts it: struct ima_kexec_hdr
// and the records. A list that was read from the running kernel has room for
// the header and is not copied.
//
// The next kernel checks little, and keeps what it parsed before an error.
// Therefore Buffer refuses everything that the next kernel would drop or
// change. Such an error wraps ErrCannotCarry; if one record is to blame, it is
// a *RecordError.
func (l *List) Buffer() ([]byte, error) {
	if err := l.CanCarry(); err != nil {
		return nil, err
	}
	b := l.head
	if b == nil {
		b = make([]byte, HeaderSize, HeaderSize+len(l.data))
		b = append(b, l.data...)
	}
	clear(b[:HeaderSize])
	l.order.PutUint16(b[hdrVersion:], version)
	l.order.PutUint64(b[hdrSize:], uint64(len(b)))
	l.order.PutUint64(b[hdrCount:], uint64(l.records))
	return b, nil
}

// CanCarry checks the rules that the restoring kernel applies
// (ima_restore_measurement_list of ima_template.c) and those that it should
// apply. Its errors are those of Buffer.
func (l *List) CanCarry() error {
	if l.digest != sha1Size {
		return fmt.Errorf("%w: its digests have %d bytes, the kernel carries SHA-1's 20", ErrCannotCarry, l.digest)
	}
	if l.records == 0 {
		return fmt.Errorf("%w: it is empty", ErrCannotCarry)
	}
	known := map[string]error{}
	for r := range l.All {
		err, ok := known[string(r.Name)]
		if !ok {
			err = carriedTemplate(string(r.Name))
			known[string(r.Name)] = err
		}
		if err == nil {
			err = r.canCarry()
		}
		if err != nil {
			return &RecordError{Record: r.Number, Offset: r.Offset, Err: fmt.Errorf("%w: %s", ErrCannotCarry, err.Error())}
		}
	}
	return nil
}

// carriedTemplate returns an error if the next kernel cannot restore a
// template's records.
func carriedTemplate(name string) error {
	switch {
	case name == imaName:
		return errors.New("the next kernel refuses records of the old template ima; boot with ima_template=ima-ng")
	case name == templates[imaName]:
		return errors.New("the next kernel takes template d|n for the old template ima and hashes it anew, differently")
	case len(name) > maxCarriedName:
		return fmt.Errorf("template name of %d bytes, the next kernel takes %d", len(name), maxCarriedName)
	}
	if _, err := formatOf(name); err != nil {
		return fmt.Errorf("%w: the next kernel would silently drop it and all after it", err)
	}
	return nil
}

// canCarry checks the data of a record whose template is known. It does what
// Fields does, without allocating.
func (r *Record) canCarry() error {
	n := 1
	name, ok := templates[string(r.Name)]
	if !ok {
		name = string(r.Name)
	}
	for i := range len(name) {
		if name[i] == '|' {
			n++
		}
	}
	rest := r.Data
	var first []byte
	for i := range n {
		value, after, err := r.cut(rest)
		if err != nil {
			return fmt.Errorf("field %d: %w", i+1, err)
		}
		if i == 0 {
			first = value
		}
		rest = after
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes after the last field", len(rest))
	}
	if r.Violation() {
		if _, digest, ok := splitDigest(first); ok && !allZero(digest) {
			return errors.New("template digest is zero, but the file's is not: the next kernel would turn it into a violation")
		}
	}
	return nil
}

// Renamed reports whether the next kernel will show a record under another
// name. That happens to a custom template with the format of a built-in one.
// The record's digest stays the same, but the list's bytes do not.
func (l *List) Renamed() bool {
	for r := range l.All {
		if bytes.IndexByte(r.Name, '|') < 0 {
			continue
		}
		for _, format := range templates {
			if string(r.Name) == format {
				return true
			}
		}
	}
	return false
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// ParseBuffer reads a kexec buffer as a segment holds it; it ignores what
// follows the buffer's end. It is stricter than the kernel, which trusts the
// size and accepts a count that is too high. Its errors wrap ErrBuffer.
func ParseBuffer(b []byte) (*List, error) {
	if len(b) < HeaderSize {
		return nil, fmt.Errorf("%w: %d bytes, the header has %d", ErrBuffer, len(b), HeaderSize)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if order.Uint16(b[hdrVersion:]) != version {
		order = binary.BigEndian
	}
	if v := order.Uint16(b[hdrVersion:]); v != version {
		return nil, fmt.Errorf("%w: version is % x, in neither byte order %d", ErrBuffer, b[:2], version)
	}
	size, count := order.Uint64(b[hdrSize:]), order.Uint64(b[hdrCount:])
	if size < HeaderSize || size > uint64(len(b)) {
		return nil, fmt.Errorf("%w: size is %d, but there are %d bytes", ErrBuffer, size, len(b))
	}
	if count == math.MaxUint64 {
		return nil, fmt.Errorf("%w: count is %d", ErrBuffer, count)
	}
	l, err := Parse(b[HeaderSize:size])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBuffer, err)
	}
	if l.records > 0 && l.order != order {
		return nil, fmt.Errorf("%w: header is %v, records are %v", ErrBuffer, order, l.order)
	}
	if uint64(l.records) != count {
		return nil, fmt.Errorf("%w: count is %d, but there are %d records", ErrBuffer, count, l.records)
	}
	return l, nil
}
