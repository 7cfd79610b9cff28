// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import "fmt"

// A NoRoomError names a segment that fits nowhere in memory, and holds the
// memory map for WriteMap. It wraps ErrNoRoom, or ErrNoSafePlace if only the
// list is in the way of the next kernel's KASLR.
type NoRoomError struct {
	Segment string
	// Size is in bytes.
	Size Addr
	// Within is the range in which the segment has to lie.
	Within Range
	// Free is the memory that was left at that moment.
	Free Ranges
	// RAM is all memory, and Reserved the parts that must stay as they are.
	RAM      Ranges
	Reserved []Region

	unsafe bool
}

// Error implements error.
func (e *NoRoomError) Error() string {
	return fmt.Sprintf("%v: segment %s needs %v bytes within %v", e.Unwrap(), e.Segment, e.Size, e.Within)
}

// Unwrap returns ErrNoRoom or ErrNoSafePlace.
func (e *NoRoomError) Unwrap() error {
	if e.unsafe {
		return ErrNoSafePlace
	}
	return ErrNoRoom
}

// memory describes the machine's memory before anything is placed.
type memory struct {
	// ram is used by the running kernel and will be found by the next.
	ram Ranges
	// reserved must not be written to.
	reserved []Region
	// fromTop has the highest addresses used first.
	fromTop bool
}

// reserve keeps segments away from the ranges. Empty ones are ignored.
func (m *memory) reserve(why string, rs ...Range) {
	for _, r := range rs {
		if !r.Empty() {
			m.reserved = append(m.reserved, Region{r, why})
		}
	}
}

// A placer hands out free memory, lowest addresses first, or highest first if
// its memory says so.
type placer struct {
	*memory
	align Addr
	free  Ranges
}

// newPlacer starts with all memory that is not reserved. The start and size of
// everything it places are multiples of align, a power of two.
func newPlacer(m *memory, align Addr) *placer {
	p := &placer{memory: m, align: align, free: m.ram}
	for _, r := range m.reserved {
		p.free = p.free.minus(r.Range)
	}
	return p
}

// place takes size bytes, rounded up, inside within. It fails with a
// *NoRoomError.
func (p *placer) place(name string, size Addr, within Range) (Range, error) {
	find := p.free.find
	if p.fromTop {
		find = p.free.findLast
	}
	rounded, ok := alignUp(max(size, 1), p.align)
	if ok {
		if r, ok := find(rounded, p.align, within); ok {
			p.free = p.free.minus(r)
			return r, nil
		}
	}
	return Range{}, p.noRoom(name, size, within)
}

func (p *placer) noRoom(name string, size Addr, within Range) *NoRoomError {
	return &NoRoomError{
		Segment: name, Size: size, Within: within,
		Free: p.free, RAM: p.ram, Reserved: p.reserved,
	}
}
