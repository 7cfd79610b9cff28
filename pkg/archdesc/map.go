// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

const (
	// mapWidth is the width of a drawing in characters.
	mapWidth = 80

	// nameWidth is where longer names of segments and owners are cut.
	nameWidth = 20
)

// Marks of a drawing. Where two share a column, the later one of this list is
// drawn.
const (
	markNone     = ' '
	markFree     = '.'
	markReserved = 'x'
	markSegment  = '='
	markList     = '#'
)

// A bar draws a range of memory, one character for each unit of it.
type bar struct {
	Range
	unit  Addr
	cells []byte
}

// barUnit returns the smallest power of two, at least 4 KiB, by which size
// bytes need no more than so many columns. Segments begin and end at such
// addresses.
func barUnit(size Addr, columns int) Addr {
	unit := Addr(4 << 10)
	for (max(size, 1)-1)/unit >= Addr(columns) {
		unit <<= 1
	}
	return unit
}

func newBar(r Range, unit Addr, mark byte) *bar {
	return &bar{r, unit, bytes.Repeat([]byte{mark}, int((r.Size()-1)/unit)+1)}
}

// paint marks the columns of a range, also those that it fills in part, so that
// nothing is too small to be seen.
func (b *bar) paint(o Range, mark byte) {
	o = o.intersect(b.Range)
	if o.Empty() {
		return
	}
	last := (o.End - 1 - b.Start) / b.unit
	for i := (o.Start - b.Start) / b.unit; i <= last; i++ {
		b.cells[i] = mark
	}
}

// A drawing shows memory to scale in plain ASCII, for WriteText and WriteMap.
type drawing struct {
	ram      Ranges
	reserved []Region
	segments []Segment
	list     Range
}

// write draws all memory, then a window around the segments, which are small
// beside the memory.
func (d *drawing) write(w io.Writer) error {
	var out bytes.Buffer
	d.memory(&out)
	d.window(&out)
	_, err := w.Write(out.Bytes())
	return err
}

// memory draws a bar for each range of RAM, all of one scale.
func (d *drawing) memory(w io.Writer) {
	var size Addr
	address := 0
	for _, r := range d.ram {
		size, address = max(size, r.Size()), max(address, len(r.Start.String()))
	}
	unit := barUnit(size, mapWidth-address-len(" ||"))
	legend := fmt.Sprintf("%c free, %c reserved", markFree, markReserved)
	if len(d.segments) > 0 {
		legend += fmt.Sprintf(", %c segment", markSegment)
	}
	if !d.list.Empty() {
		legend += fmt.Sprintf(", %c measurement list", markList)
	}
	fmt.Fprintf(w, "\nmemory, %s a column: %s\n", units(unit), legend)
	for _, r := range d.ram {
		b := newBar(r, unit, markFree)
		d.paint(b)
		fmt.Fprintf(w, "%*v |%s|\n", address, r.Start, b.cells)
	}
}

// paint marks everything in the range of a bar.
func (d *drawing) paint(b *bar) {
	for _, r := range d.reserved {
		b.paint(r.Range, markReserved)
	}
	for _, s := range d.segments {
		b.paint(s.Range, markSegment)
	}
	b.paint(d.list, markList)
}

// window draws a bar for each segment, in the window of memory that holds all
// of them, and one for each owner of reserved memory there.
func (d *drawing) window(w io.Writer) {
	if len(d.segments) == 0 {
		return
	}
	const free, mark = "free memory", " <- list"
	name, address := nameWidth, 0
	for _, s := range d.segments {
		address = max(address, len(s.Start.String()))
	}
	all, unit := d.frame(mapWidth - name - address - len("  ||") - len(mark))
	row := func(title, at string, mark byte, end string, rs ...Range) {
		b := newBar(all, unit, markNone)
		for _, r := range rs {
			b.paint(r, mark)
		}
		if len(title) > name {
			title = title[:name-1] + "~"
		}
		fmt.Fprintf(w, "%-*s %*s |%s|%s\n", name, title, address, at, b.cells, end)
	}
	fmt.Fprintf(w, "\nsegments, %s a column, from %v to %v:\n", units(unit), all.Start, all.End)
	row(free, "", markFree, "", d.free().intersect(Ranges{all})...)
	for _, why := range d.owners(all) {
		row(why, "", markReserved, "", d.owned(why)...)
	}
	for _, s := range d.segments {
		if !d.list.Empty() && s.Contains(d.list) {
			row(s.Name, s.Start.String(), markList, mark, s.Range)
		} else {
			row(s.Name, s.Start.String(), markSegment, "", s.Range)
		}
	}
}

// frame returns the window and its scale. A column on either side of the
// segments shows what is beside them.
func (d *drawing) frame(columns int) (all Range, unit Addr) {
	all = Range{d.segments[0].Start, d.segments[len(d.segments)-1].End}
	const margins = 3 // one on either side, one that rounding may need
	unit = barUnit(all.Size(), columns-margins)
	all.Start &^= unit - 1
	all.Start -= min(all.Start, unit)
	if end, ok := alignUp(all.End, unit); ok {
		all.End = end
	}
	all.End = rangeOf(all.End, unit).End
	return all, unit
}

// free returns the memory without reserved ranges and segments.
func (d *drawing) free() Ranges {
	free := d.ram
	for _, r := range d.reserved {
		free = free.minus(r.Range)
	}
	for _, s := range d.segments {
		free = free.minus(s.Range)
	}
	return free
}

// owners returns who has reserved memory in a window, in the plan's order.
func (d *drawing) owners(window Range) []string {
	var out []string
	for _, r := range d.reserved {
		if r.Overlaps(window) && !slices.Contains(out, r.Why) {
			out = append(out, r.Why)
		}
	}
	return out
}

func (d *drawing) owned(why string) []Range {
	var out []Range
	for _, r := range d.reserved {
		if r.Why == why {
			out = append(out, r.Range)
		}
	}
	return out
}

// units writes a power of two of bytes, at least 1 KiB.
func units(a Addr) string {
	n := min(bits.TrailingZeros64(uint64(a))/10, 6)
	return fmt.Sprintf("%d %ciB", a>>(10*n), "KMGTPE"[n-1])
}
