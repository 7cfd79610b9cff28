// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewRanges(t *testing.T) {
	got := newRanges([]Range{{8, 10}, {5, 5}, {0, 2}, {2, 4}, {9, 12}, {7, 3}})
	if diff := cmp.Diff(Ranges{{0, 4}, {8, 12}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMinus(t *testing.T) {
	rs := Ranges{{0, 10}, {20, 30}}
	for _, tt := range []struct {
		name string
		take Range
		want Ranges
	}{
		{"nothing", Range{10, 20}, rs},
		{"empty", Range{5, 5}, rs},
		{"middle", Range{3, 5}, Ranges{{0, 3}, {5, 10}, {20, 30}}},
		{"across", Range{8, 22}, Ranges{{0, 8}, {22, 30}}},
		{"all", Range{0, math.MaxUint64}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, rs.minus(tt.take)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFind(t *testing.T) {
	rs := Ranges{{0x1000, 0x2000}, {0x800000, 0x1000000}, {math.MaxUint64 - 0x10, math.MaxUint64}}
	for _, tt := range []struct {
		name        string
		size, align Addr
		within      Range
		want        Range
		ok          bool
	}{
		{"first", 0x1000, 0x1000, Range{0, math.MaxUint64}, Range{0x1000, 0x2000}, true},
		// The low range ends below the first aligned address.
		{"aligned start is outside the low range", 0x1000, 0x200000, Range{0, math.MaxUint64}, Range{0x800000, 0x801000}, true},
		{"limit", 0x1000, 0x1000, Range{0x1800, 0x800800}, Range{}, false},
		{"too large", 0x900000, 0x1000, Range{0, math.MaxUint64}, Range{}, false},
		{"size at the end of the address space", math.MaxUint64 &^ 0xfff, 0x1000, Range{0, math.MaxUint64}, Range{}, false},
		{"start cannot be aligned", 0x10, 0x1000, Range{math.MaxUint64 - 0x10, math.MaxUint64}, Range{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := rs.find(tt.size, tt.align, tt.within)
			if got != tt.want || ok != tt.ok {
				t.Errorf("find = %v, %v, want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestFindLast(t *testing.T) {
	rs := Ranges{{0x1000, 0x2000}, {0x800000, 0x1000000}, {math.MaxUint64 - 0x10, math.MaxUint64}}
	all := Range{0, math.MaxUint64}
	for _, tt := range []struct {
		name        string
		size, align Addr
		within      Range
		want        Range
		ok          bool
	}{
		{"last that is large enough", 0x1000, 0x1000, all, Range{0xfff000, 0x1000000}, true},
		{"limit inside a page", 0x2000, 0x1000, Range{0, 0x900800}, Range{0x8fe000, 0x900000}, true},
		{"all of a range", 0x800000, 0x1000, all, Range{0x800000, 0x1000000}, true},
		{"limit below the last range", 0x1000, 0x1000, Range{0, 0x800000}, Range{0x1000, 0x2000}, true},
		{"aligned start is outside", 0x1000, 0x1000, Range{0x800800, 0x801800}, Range{}, false},
		{"too large", 0x801000, 0x1000, all, Range{}, false},
		{"size at the end of the address space", math.MaxUint64 &^ 0xfff, 0x1000, all, Range{}, false},
		{"start cannot be aligned", 0x10, 0x1000, Range{math.MaxUint64 - 0x10, math.MaxUint64}, Range{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := rs.findLast(tt.size, tt.align, tt.within)
			if got != tt.want || ok != tt.ok {
				t.Errorf("findLast = %v, %v, want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestRangeOfSaturates(t *testing.T) {
	if got, want := rangeOf(math.MaxUint64-1, 10), (Range{math.MaxUint64 - 1, math.MaxUint64}); got != want {
		t.Errorf("rangeOf = %v, want %v", got, want)
	}
}
