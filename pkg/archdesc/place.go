// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import "fmt"

// A NoRoomError says which segment found no place, and shows the memory.
type NoRoomError struct {
	Segment string
	Size    Addr
	Within  Range
	// Free is what was left when the segment was to be placed.
	Free Ranges
	// RAM and Reserved are all memory, and what may not be touched.
	RAM      Ranges
	Reserved []Region
}

// Error implements error.
func (e *NoRoomError) Error() string {
	return fmt.Sprintf("%v: segment %s needs %v bytes within %v", ErrNoRoom, e.Segment, e.Size, e.Within)
}

// Unwrap makes it an ErrNoRoom.
func (e *NoRoomError) Unwrap() error { return ErrNoRoom }

// A placer hands out memory from the bottom.
type placer struct {
	ram      Ranges
	reserved []Region
	align    Addr
	free     Ranges
}

// newPlacer takes what is reserved away. Start and size of everything placed
// are multiples of align, a power of two.
func newPlacer(ram Ranges, reserved []Region, align Addr) *placer {
	p := &placer{ram: ram, reserved: reserved, align: align, free: ram}
	for _, r := range reserved {
		p.free = p.free.minus(r.Range)
	}
	return p
}

// place finds room for size bytes, rounded up, inside within.
func (p *placer) place(name string, size Addr, within Range) (Range, error) {
	rounded, ok := alignUp(max(size, 1), p.align)
	if ok {
		if r, ok := p.free.find(rounded, p.align, within); ok {
			p.free = p.free.minus(r)
			return r, nil
		}
	}
	return Range{}, &NoRoomError{
		Segment: name, Size: size, Within: within,
		Free: p.free, RAM: p.ram, Reserved: p.reserved,
	}
}
