// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package petest makes PE files for tests.
package petest

import (
	"encoding/binary"
	"fmt"
)

// AMD64 is the machine of a PE file for amd64.
const AMD64 = 0x8664

// A Section is a section of a PE file.
type Section struct {
	// Name has 8 bytes at most.
	Name string
	Data string
}

// Offsets in a section's header.
const (
	VirtualSize = 8
	RawSize     = 16
	RawOffset   = 20
)

const (
	headerAt   = 0x40
	sectionsAt = headerAt + 24
	entrySize  = 40
	align      = 512
)

// SectionHeader returns where the header of the i-th section is in a file.
func SectionHeader(i int) int { return sectionsAt + i*entrySize }

// File returns a PE file with sections in their order. Their data is padded to
// 512 bytes, as objcopy does it.
func File(machine uint16, sections ...Section) []byte {
	le := binary.LittleEndian
	b := make([]byte, SectionHeader(len(sections))+align)
	b = append(b, make([]byte, -len(b)&(align-1))...)
	copy(b, "MZ")
	b[0x3c] = headerAt
	copy(b[headerAt:], "PE\x00\x00")
	le.PutUint16(b[headerAt+4:], machine)
	le.PutUint16(b[headerAt+6:], uint16(len(sections))) //nolint:gosec // a test's few
	for i, s := range sections {
		if len(s.Name) > VirtualSize {
			panic(fmt.Sprintf("%s is too long", s.Name))
		}
		h := b[SectionHeader(i):]
		raw := append([]byte(s.Data), make([]byte, -len(s.Data)&(align-1))...)
		copy(h, s.Name)
		le.PutUint32(h[VirtualSize:], uint32(len(s.Data))) //nolint:gosec // small
		le.PutUint32(h[RawSize:], uint32(len(raw)))        //nolint:gosec // small
		le.PutUint32(h[RawOffset:], uint32(len(b)))        //nolint:gosec // small
		b = append(b, raw...)
	}
	return b
}
