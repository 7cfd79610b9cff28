// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// An Addr is a physical address, or a size in bytes. It prints in hexadecimal.
type Addr uint64

// String implements fmt.Stringer.
func (a Addr) String() string { return fmt.Sprintf("%#x", uint64(a)) }

// MarshalText implements encoding.TextMarshaler. In JSON, an address is a
// hexadecimal string, because JSON numbers cannot hold all 64 bits.
func (a Addr) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// A Range is the physical memory from Start up to, but not including, End.
//
// A plan must be the same on every host, so u-root's kexec.Range, which has the
// word size of the host, would not do.
type Range struct {
	Start Addr `json:"start"`
	End   Addr `json:"end"`
}

// String implements fmt.Stringer.
func (r Range) String() string { return fmt.Sprintf("[%v, %v)", r.Start, r.End) }

// Size returns the length of r in bytes.
func (r Range) Size() Addr { return r.End - r.Start }

// Empty reports whether r holds no byte.
func (r Range) Empty() bool { return r.End <= r.Start }

// Overlaps reports whether r and o share a byte.
func (r Range) Overlaps(o Range) bool {
	return !r.Empty() && !o.Empty() && r.Start < o.End && o.Start < r.End
}

// Contains reports whether all of o lies in r.
func (r Range) Contains(o Range) bool { return r.Start <= o.Start && o.End <= r.End }

func (r Range) intersect(o Range) Range {
	return Range{max(r.Start, o.Start), min(r.End, o.End)}
}

// rangeOf returns [start, start+size), cut at the end of the address space.
func rangeOf(start, size Addr) Range {
	if size > math.MaxUint64-start {
		return Range{start, math.MaxUint64}
	}
	return Range{start, start + size}
}

// Ranges are sorted and disjoint, and none is empty.
type Ranges []Range

// newRanges sorts ranges and joins those that overlap or touch.
func newRanges(in []Range) Ranges {
	in = slices.DeleteFunc(slices.Clone(in), Range.Empty)
	slices.SortFunc(in, func(a, b Range) int { return cmp.Compare(a.Start, b.Start) })
	var out Ranges
	for _, r := range in {
		if n := len(out); n > 0 && r.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out = append(out, r)
	}
	return out
}

// Size returns the number of bytes in all ranges.
func (rs Ranges) Size() Addr {
	var n Addr
	for _, r := range rs {
		n += r.Size()
	}
	return n
}

// end is the end of the last range, 0 without one.
func (rs Ranges) end() Addr {
	if len(rs) == 0 {
		return 0
	}
	return rs[len(rs)-1].End
}

// Contains reports whether one of the ranges holds all of o.
func (rs Ranges) Contains(o Range) bool {
	return slices.ContainsFunc(rs, func(r Range) bool { return r.Contains(o) })
}

func (rs Ranges) minus(o Range) Ranges {
	var out Ranges
	for _, r := range rs {
		if !r.Overlaps(o) {
			out = append(out, r)
			continue
		}
		for _, rest := range [2]Range{{r.Start, o.Start}, {o.End, r.End}} {
			if !rest.Empty() {
				out = append(out, rest)
			}
		}
	}
	return out
}

func (rs Ranges) intersect(os Ranges) Ranges {
	var out []Range
	for _, r := range rs {
		for _, o := range os {
			out = append(out, r.intersect(o))
		}
	}
	return newRanges(out)
}

// alignUp rounds a up to a multiple of align, a power of two. It returns false if
// the result is beyond the address space.
func alignUp(a, align Addr) (Addr, bool) {
	if a > math.MaxUint64-(align-1) {
		return 0, false
	}
	return (a + align - 1) &^ (align - 1), true
}

// findLast returns the highest range of size bytes, a multiple of align, that
// starts at a multiple of align and lies inside both rs and within.
func (rs Ranges) findLast(size, align Addr, within Range) (Range, bool) {
	for _, r := range slices.Backward(rs) {
		r = r.intersect(within)
		if r.Empty() || r.Size() < size {
			continue
		}
		if start := (r.End - size) &^ (align - 1); start >= r.Start {
			return Range{start, start + size}, true
		}
	}
	return Range{}, false
}

// find returns the lowest range of size bytes, a multiple of align, that starts
// at a multiple of align and lies inside both rs and within.
func (rs Ranges) find(size, align Addr, within Range) (Range, bool) {
	for _, r := range rs {
		r = r.intersect(within)
		start, ok := alignUp(r.Start, align)
		if ok && !r.Empty() && start <= r.End && r.End-start >= size {
			return Range{start, start + size}, true
		}
	}
	return Range{}, false
}
