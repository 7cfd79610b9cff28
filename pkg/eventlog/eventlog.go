// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package eventlog reads TCG event logs, and writes them in the crypto-agile
// format. They record what firmware and loaders extended into PCRs, which no
// kernel logs.
//
// Source: TCG PC Client Platform Firmware Profile 1.05, chapter 10, which calls
// the older format the SHA1 Event Log Entry Format. All numbers are
// little-endian.
package eventlog

import (
	"errors"
	"fmt"
	"slices"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrDamaged is wrapped by all errors about a log's bytes.
var ErrDamaged = refusal.New(refusal.EventLogDamaged, "event log is damaged")

// ErrBank means that a log has no digests for a bank.
var ErrBank = refusal.New(refusal.EventLogUnexplained, "event log lacks a bank")

// PCRs that both GRUB and imaboot extend (GRUB manual, Measured Boot).
const (
	// StringPCR is extended with command lines.
	StringPCR = 8
	// FilePCR is extended with the content of files.
	FilePCR = 9
)

// Event types (TCG PFP 10.4.1).
const (
	evNoAction = 0x03
	evIPL      = 0x0d
)

// An Event records one extend of a PCR.
type Event struct {
	// PCR is the number of the register. That of an event which extends
	// nothing can be any number.
	PCR  int
	Type uint32
	// Digests has one digest for each bank, in any order. Firmware may leave
	// banks out.
	Digests []Digest
	// Data is the event's description of itself. It need not be what was
	// hashed.
	Data []byte
}

// A Digest is an event's digest for one bank.
type Digest struct {
	ID    uint16 // number in the TCG Algorithm Registry
	Value []byte
}

// A Log is an event log that was parsed or made.
type Log struct {
	data   []byte
	banks  []bank
	Events []Event
	// Old is set if the log was read in the older format, which has only
	// SHA-1 digests.
	Old bool
}

// A bank is an algorithm that the log's header declares.
type bank struct {
	id   uint16
	size int
}

// ids are the algorithms' numbers (TCG Algorithm Registry).
var ids = map[pcr.Algorithm]uint16{
	pcr.SHA1: 0x04, pcr.SHA256: 0x0b, pcr.SHA384: 0x0c, pcr.SHA512: 0x0d,
}

// Bytes returns the log in its binary format. They are not a copy.
func (l *Log) Bytes() []byte { return l.data }

// File returns an event for a file's content. Its Data is name, as GRUB writes
// it. The error wraps ErrBank if a bank of the log cannot be computed.
func (l *Log) File(name string, content []byte) (Event, error) {
	return l.event(FilePCR, name, content)
}

// CommandLine returns an event for a kernel's command line. Its Data begins as
// GRUB writes it. The error is that of File.
func (l *Log) CommandLine(s string) (Event, error) {
	return l.event(StringPCR, "kernel_cmdline: "+s, []byte(s))
}

func (l *Log) event(index int, text string, content []byte) (Event, error) {
	e := Event{PCR: index, Type: evIPL, Data: append([]byte(text), 0)}
	for _, b := range l.banks {
		a, ok := algorithm(b.id)
		if !ok {
			return Event{}, fmt.Errorf("%w: algorithm %#x is not supported", ErrBank, b.id)
		}
		e.Digests = append(e.Digests, Digest{b.id, a.Sum(content)})
	}
	return e, nil
}

// Values returns the event's digests by bank. It omits unsupported algorithms.
func (e *Event) Values() map[pcr.Algorithm][]byte {
	out := map[pcr.Algorithm][]byte{}
	for _, d := range e.Digests {
		if a, ok := algorithm(d.ID); ok {
			out[a] = d.Value
		}
	}
	return out
}

func algorithm(id uint16) (pcr.Algorithm, bool) {
	for _, a := range pcr.Algorithms {
		if ids[a] == id {
			return a, true
		}
	}
	return "", false
}

// Banks returns the banks of the log that can be replayed.
func (l *Log) Banks() []pcr.Algorithm {
	var out []pcr.Algorithm
	for _, a := range pcr.Algorithms {
		if l.has(a) {
			out = append(out, a)
		}
	}
	return out
}

// Replay returns the value of a register after the first n events. The replay
// begins with a register of zeros. The error wraps ErrBank if the log lacks the
// bank, or an event the digest for it.
func (l *Log) Replay(index int, a pcr.Algorithm, n int) ([]byte, error) {
	value := make([]byte, a.Size())
	switch {
	case !l.has(a) && l.Old:
		return nil, fmt.Errorf("%w: %s: the log is of the older format, which has SHA-1 digests only", ErrBank, a)
	case !l.has(a):
		return nil, fmt.Errorf("%w: %s", ErrBank, a)
	}
	for i, e := range l.Events[:n] {
		if e.PCR != index {
			continue
		}
		var ok bool
		if value, ok = e.extend(value, a); !ok {
			return nil, fmt.Errorf("%w: %s: event %d extends PCR %d without such a digest", ErrBank, a, i+1, index)
		}
	}
	return value, nil
}

// has reports whether the log has the bank.
func (l *Log) has(a pcr.Algorithm) bool {
	return slices.ContainsFunc(l.banks, func(b bank) bool { return b.id == ids[a] })
}

// extend returns the new value of the event's register in a bank. ok is false if
// the event has no digest for the bank.
func (e *Event) extend(value []byte, a pcr.Algorithm) (_ []byte, ok bool) {
	// Such an event extends nothing. One of them may say that PCR 0 began
	// with another value, but it affects no other register.
	if e.Type == evNoAction {
		return value, true
	}
	for _, d := range e.Digests {
		if d.ID == ids[a] {
			return a.Sum(slices.Concat(value, d.Value)), true
		}
	}
	return nil, false
}

func noBank(err error) bool { return errors.Is(err, ErrBank) }

// First returns the log of the first n events.
func (l *Log) First(n int) *Log {
	end := len(l.data)
	for _, e := range l.Events[n:] {
		end -= l.size(&e)
	}
	return &Log{data: l.data[:end:end], banks: l.banks, Events: slices.Clip(l.Events[:n]), Old: l.Old}
}

// size returns the number of bytes that an event takes in the log.
func (l *Log) size(e *Event) int {
	if l.Old {
		return oldHeader + len(e.Data)
	}
	n := 4 + 4 + 4 + 4 + len(e.Data)
	for _, d := range e.Digests {
		n += 2 + len(d.Value)
	}
	return n
}
