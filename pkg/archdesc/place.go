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

// placeInitrd places what the target unpacks into its root file system: the
// initrd, and directly in front of it, in whole pages, the archive with the
// list. It returns the range that the boot protocol names, to the byte. That
// is how microcode archives stand, and works with every compression of what
// follows (init/initramfs.c, unpack_to_rootfs).
func (p *Plan) placeInitrd(place *placer, t *Target, l *List, within Range) (Range, error) {
	var archive []byte
	if l != nil {
		archive = l.Archive
	}
	if len(archive)+len(t.Initrd) == 0 {
		return Range{}, nil
	}
	front := Addr(0)
	if len(archive) > 0 {
		front, _ = alignUp(Addr(len(archive)), place.align)
	}
	name := SegmentInitrd
	if len(t.Initrd) == 0 {
		name = SegmentArchive
	}
	r, err := place.place(name, front+Addr(len(t.Initrd)), within)
	if err != nil {
		return Range{}, err
	}
	end := r.Start + Addr(len(archive))
	if len(archive) > 0 {
		p.Segments = append(p.Segments, Segment{SegmentArchive, rangeOf(r.Start, front), archive})
	}
	if len(t.Initrd) > 0 {
		p.Segments = append(p.Segments, Segment{SegmentInitrd, Range{r.Start + front, r.End}, t.Initrd})
		end = r.Start + front + Addr(len(t.Initrd))
	}
	return Range{r.Start, end}, nil
}

// describeArchive tells of the list in the archive, if there is one: field is
// where the boot protocol has the initrd's range.
func (p *Plan) describeArchive(l *List, field string) {
	if s, ok := p.Segment(SegmentArchive); ok {
		p.List = &Descriptor{
			Where: "initramfs archive in front of the initrd, " + field,
			Range: rangeOf(s.Start, Addr(len(l.Archive))),
		}
	}
}
