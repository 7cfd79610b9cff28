// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package eventlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// The log begins with an event in the old format, whose data is a
// TCG_EfiSpecIDEvent (PFP 10.2.1 and 10.4.5.1): signature, platform class,
// versions, banks, and an empty vendor part.
const (
	specID = "Spec ID Event03\x00"
	// uintn64 says that the platform's UINTN has 64 bits.
	uintn64 = 2

	oldHeader = 4 + 4 + 20 + 4 // PCR, type, SHA-1, data size
	maxBanks  = 16
	maxPCR    = 23
)

var order = binary.LittleEndian

// New returns an empty log with these banks.
func New(banks []pcr.Algorithm) *Log {
	l := &Log{}
	head := []byte(specID)
	head = order.AppendUint32(head, 0)                  // client
	head = append(head, 0, 2, 0, uintn64)               // version 2.0, errata 0
	head = order.AppendUint32(head, uint32(len(banks))) //nolint:gosec // four
	for _, a := range banks {
		l.banks = append(l.banks, bank{ids[a], a.Size()})
		head = order.AppendUint16(head, ids[a])
		head = order.AppendUint16(head, uint16(a.Size())) //nolint:gosec // 64 at most
	}
	head = append(head, 0)
	l.data = order.AppendUint32(l.data, 0)
	l.data = order.AppendUint32(l.data, evNoAction)
	l.data = append(l.data, make([]byte, 20)...)
	l.data = order.AppendUint32(l.data, uint32(len(head))) //nolint:gosec // small
	l.data = append(l.data, head...)
	return l
}

// With returns a new log with more events at its end, each a TCG_PCR_EVENT2
// (PFP 10.2.2). A log of the older format is converted. The original log does not
// change.
func (l *Log) With(events ...Event) *Log {
	if l.Old {
		l = New([]pcr.Algorithm{pcr.SHA1}).With(l.Events...)
	}
	out := &Log{data: bytes.Clone(l.data), banks: l.banks}
	out.Events = append(append(out.Events, l.Events...), events...)
	for _, e := range events {
		b := order.AppendUint32(out.data, uint32(e.PCR)) //nolint:gosec // a register
		b = order.AppendUint32(b, e.Type)
		b = order.AppendUint32(b, uint32(len(e.Digests))) //nolint:gosec // few
		for _, d := range e.Digests {
			b = order.AppendUint16(b, d.ID)
			b = append(b, d.Value...)
		}
		b = order.AppendUint32(b, uint32(len(e.Data))) //nolint:gosec // a file's name, or a command line
		out.data = append(b, e.Data...)
	}
	return out
}

// Parse reads a log of either format. Its errors wrap ErrDamaged and name the
// number of the event, counted from 1, and its offset in bytes.
func Parse(data []byte) (*Log, error) {
	l := &Log{data: data}
	rest, next := data, l.parseOld
	if l.Old = isOld(data); l.Old {
		l.banks = []bank{{ids[pcr.SHA1], pcr.SHA1.Size()}}
	} else {
		var err error
		if rest, err = l.parseHead(data); err != nil {
			return nil, fmt.Errorf("%w: header: %w", ErrDamaged, err)
		}
		next = l.parseEvent
	}
	for len(rest) > 0 {
		offset := len(data) - len(rest)
		e, after, err := next(rest)
		if err != nil && l.Old {
			err = fmt.Errorf("%w (it was read in the older format, since it begins with no %q)", err, specID[:len(specID)-1])
		}
		if err != nil {
			return nil, fmt.Errorf("%w: event %d at offset %d: %w", ErrDamaged, len(l.Events)+1, offset, err)
		}
		l.Events = append(l.Events, e)
		rest = after
	}
	return l, nil
}

// isOld reports whether a log begins like one of the older format: with any event
// but the one that announces the crypto-agile format.
func isOld(data []byte) bool {
	return len(data) >= oldHeader && !bytes.HasPrefix(data[oldHeader:], []byte(specID))
}

// parseOld reads a TCG_PCR_EVENT (PFP 10.2.1).
func (l *Log) parseOld(data []byte) (Event, []byte, error) {
	r := reader{data}
	head, err := r.take(oldHeader)
	if err != nil {
		return Event{}, nil, err
	}
	e := Event{PCR: int(order.Uint32(head)), Type: order.Uint32(head[4:]), Digests: []Digest{{ids[pcr.SHA1], head[8:28:28]}}}
	if err := e.check(order.Uint32(head)); err != nil {
		return Event{}, nil, err
	}
	e.Data, err = r.take(int(order.Uint32(head[oldHeader-4:])))
	return e, r.rest, err
}

// check holds that an event that extends a register names one.
func (e *Event) check(index uint32) error {
	if index > maxPCR && e.Type != evNoAction {
		return fmt.Errorf("PCR %d", index)
	}
	return nil
}

func (l *Log) parseHead(data []byte) ([]byte, error) {
	r := reader{data}
	old, err := r.take(oldHeader)
	if err != nil {
		return nil, err
	}
	if order.Uint32(old) != 0 || order.Uint32(old[4:]) != evNoAction {
		return nil, fmt.Errorf("no Spec ID event: the log is not in the crypto-agile format")
	}
	head, err := r.take(int(order.Uint32(old[oldHeader-4:])))
	if err != nil {
		return nil, err
	}
	h := reader{head}
	signature, err := h.take(len(specID))
	if err != nil || string(signature) != specID {
		return nil, fmt.Errorf("signature %q, want %q", signature, specID)
	}
	const fixed = 4 + 4 // platform class, versions and size of UINTN
	if _, err := h.take(fixed); err != nil {
		return nil, err
	}
	n, err := h.uint32()
	if err != nil {
		return nil, err
	}
	if n == 0 || n > maxBanks {
		return nil, fmt.Errorf("%d banks", n)
	}
	for range n {
		b, err := h.take(4)
		if err != nil {
			return nil, err
		}
		x := bank{order.Uint16(b), int(order.Uint16(b[2:]))}
		if a, ok := algorithm(x.id); x.size == 0 || (ok && x.size != a.Size()) {
			return nil, fmt.Errorf("digests of algorithm %#x have %d bytes", x.id, x.size)
		}
		l.banks = append(l.banks, x)
	}
	vendor, err := h.take(1)
	if err != nil {
		return nil, err
	}
	if _, err := h.take(int(vendor[0])); err != nil {
		return nil, err
	}
	return r.rest, nil
}

func (l *Log) parseEvent(data []byte) (Event, []byte, error) {
	r := reader{data}
	head, err := r.take(12)
	if err != nil {
		return Event{}, nil, err
	}
	e := Event{PCR: int(order.Uint32(head)), Type: order.Uint32(head[4:])}
	if err := e.check(order.Uint32(head)); err != nil {
		return Event{}, nil, err
	}
	n := order.Uint32(head[8:])
	if n > maxBanks || int(n) > len(l.banks) {
		return Event{}, nil, fmt.Errorf("%d digests, the log has %d banks", n, len(l.banks))
	}
	for range n {
		d, err := l.parseDigest(&r)
		if err != nil {
			return Event{}, nil, err
		}
		if slices.ContainsFunc(e.Digests, func(other Digest) bool { return other.ID == d.ID }) {
			return Event{}, nil, fmt.Errorf("two digests of algorithm %#x", d.ID)
		}
		e.Digests = append(e.Digests, d)
	}
	size, err := r.uint32()
	if err != nil {
		return Event{}, nil, err
	}
	e.Data, err = r.take(int(size))
	return e, r.rest, err
}

// parseDigest reads a digest of one of the log's banks.
func (l *Log) parseDigest(r *reader) (Digest, error) {
	id, err := r.take(2)
	if err != nil {
		return Digest{}, err
	}
	d := Digest{ID: order.Uint16(id)}
	i := slices.IndexFunc(l.banks, func(b bank) bool { return b.id == d.ID })
	if i < 0 {
		return Digest{}, fmt.Errorf("digest of algorithm %#x, which the header does not have", d.ID)
	}
	d.Value, err = r.take(l.banks[i].size)
	return d, err
}

// A reader takes bytes from the front, and never more than are left.
type reader struct{ rest []byte }

func (r *reader) take(n int) ([]byte, error) {
	if n < 0 || n > len(r.rest) {
		return nil, fmt.Errorf("%d bytes are needed, %d are left", n, len(r.rest))
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b, nil
}

func (r *reader) uint32() (uint32, error) {
	b, err := r.take(4)
	if err != nil {
		return 0, err
	}
	return order.Uint32(b), nil
}
