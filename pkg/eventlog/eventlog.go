// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package eventlog holds TCG event logs of the crypto-agile form: what was
// extended into PCRs, by whom no kernel keeps a list.
//
// Source: TCG PC Client Platform Firmware Profile 1.05, chapter 10. All
// numbers are little-endian.
package eventlog

import (
	"errors"
	"fmt"
	"slices"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrDamaged is wrapped by what is wrong with a log's bytes.
var ErrDamaged = refusal.New(refusal.EventLogDamaged, "event log is damaged")

// ErrBank means that a log has no digests of a bank.
var ErrBank = refusal.New(refusal.EventLogUnexplained, "event log lacks a bank")

// PCRs that GRUB extends, and so does imaboot (GRUB manual, Measured Boot).
const (
	// StringPCR takes command lines.
	StringPCR = 8
	// FilePCR takes files.
	FilePCR = 9
)

// Types of events (TCG PFP 10.4.1).
const (
	evNoAction = 0x03
	evIPL      = 0x0d
)

// An Event is what was extended, once in each bank.
type Event struct {
	PCR  int
	Type uint32
	// Digests are in the order of the log's banks.
	Digests []Digest
	// Data is what the event says of itself. It need not be what was hashed.
	Data []byte
}

// A Digest is one bank's.
type Digest struct {
	ID    uint16 // of the TCG Algorithm Registry
	Value []byte
}

// A Log is a parsed log, or one that is made here.
type Log struct {
	data   []byte
	banks  []bank
	Events []Event
}

// A bank is one entry of the log's header.
type bank struct {
	id   uint16
	size int
}

// ids are the algorithms' numbers (TCG Algorithm Registry).
var ids = map[pcr.Algorithm]uint16{
	pcr.SHA1: 0x04, pcr.SHA256: 0x0b, pcr.SHA384: 0x0c, pcr.SHA512: 0x0d,
}

// Bytes is the log as it is handed on.
func (l *Log) Bytes() []byte { return l.data }

// File makes an event of a file's content, as GRUB names it.
func (l *Log) File(name string, content []byte) (Event, error) {
	return l.event(FilePCR, name, content)
}

// CommandLine makes an event of a kernel's command line, as GRUB names it.
func (l *Log) CommandLine(s string) (Event, error) {
	return l.event(StringPCR, "kernel_cmdline: "+s, []byte(s))
}

func (l *Log) event(index int, text string, content []byte) (Event, error) {
	e := Event{PCR: index, Type: evIPL, Data: append([]byte(text), 0)}
	for _, b := range l.banks {
		a, ok := algorithm(b.id)
		if !ok {
			return Event{}, fmt.Errorf("%w: its algorithm %#x cannot be computed here", ErrBank, b.id)
		}
		e.Digests = append(e.Digests, Digest{b.id, a.Sum(content)})
	}
	return e, nil
}

// Values are the event's digests by the names of their banks.
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

// Banks are those of the log's banks that can be replayed.
func (l *Log) Banks() []pcr.Algorithm {
	var out []pcr.Algorithm
	for _, a := range pcr.Algorithms {
		if l.bank(a) >= 0 {
			out = append(out, a)
		}
	}
	return out
}

// Replay is what the first n events lead to in a bank: the register's value
// from its reset to zeros.
func (l *Log) Replay(index int, a pcr.Algorithm, n int) ([]byte, error) {
	value := make([]byte, a.Size())
	i := l.bank(a)
	if i < 0 {
		return nil, fmt.Errorf("%w: %s", ErrBank, a)
	}
	for _, e := range l.Events[:n] {
		if e.PCR == index {
			value = e.extend(value, a, i)
		}
	}
	return value, nil
}

// bank is the place of a bank's digests, -1 without them.
func (l *Log) bank(a pcr.Algorithm) int {
	return slices.IndexFunc(l.banks, func(b bank) bool { return b.id == ids[a] })
}

// extend is what the event makes of its register's value in the bank i.
func (e *Event) extend(value []byte, a pcr.Algorithm, i int) []byte {
	// These extend nothing. One of them says that PCR 0 began with another
	// value, but only that.
	if e.Type == evNoAction {
		return value
	}
	return a.Sum(slices.Concat(value, e.Digests[i].Value))
}

func noBank(err error) bool { return errors.Is(err, ErrBank) }

// First is the log of the first n events.
func (l *Log) First(n int) *Log {
	end := len(l.data)
	for _, e := range l.Events[n:] {
		end -= e.size()
	}
	return &Log{data: l.data[:end:end], banks: l.banks, Events: slices.Clip(l.Events[:n])}
}

// size is the length of the event in the log.
func (e *Event) size() int {
	n := 4 + 4 + 4 + 4 + len(e.Data)
	for _, d := range e.Digests {
		n += 2 + len(d.Value)
	}
	return n
}
