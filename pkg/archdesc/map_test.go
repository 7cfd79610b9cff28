// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDrawing(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		name string
		d    drawing
		want string
	}{
		{
			name: "one scale for all memory, and a window for the segments",
			d: drawing{
				ram:      Ranges{{0, 64 * mib}, {128 * mib, 144 * mib}},
				reserved: []Region{{Range{0, 4 * mib}, "running kernel"}, {Range{0, mib}, "next kernel"}, {Range{140 * mib, 140*mib + 1}, "firmware"}},
				segments: []Segment{
					{"kernel", Range{4 * mib, 5 * mib}, nil},
					{SegmentList, Range{5 * mib, 5*mib + 0x10000}, nil},
				},
				list: Range{5 * mib, 5*mib + 0x10000},
			},
			want: `
memory, 1 MiB a column: . free, x reserved, = segment, # measurement list
      0x0 |xxxx=#..........................................................|
0x8000000 |............x...|

segments, 32 KiB a column, from 0x3f8000 to 0x518000:
free memory                   |                                   .|
running kernel                |x                                   |
kernel               0x400000 | ================================   |
ima-list             0x500000 |                                 ## | <- list
`,
		},
		{
			name: "the list is a part of a segment, behind a hole",
			d: drawing{
				ram:      Ranges{{0, 4 * mib}, {8 * mib, 16 * mib}},
				reserved: []Region{{Range{0, mib}, "an owner whose name is too long for its column"}},
				segments: []Segment{{"kernel", Range{0, 2 * mib}, nil}, {SegmentArchive, Range{10 * mib, 11 * mib}, nil}},
				list:     Range{10 * mib, 10*mib + 1},
			},
			want: `
memory, 128 KiB a column: . free, x reserved, = segment, # measurement list
     0x0 |================................|
0x800000 |................#=======........................................|

segments, 512 KiB a column, from 0x0 to 0xb80000:
free memory                   |    ....        ....  .|
an owner whose name~          |xx                     |
kernel                    0x0 |====                   |
ima-archive          0xa00000 |                    ## | <- list
`,
		},
		{
			name: "no segments",
			d:    drawing{ram: Ranges{{0, 2 * mib}}, reserved: []Region{{Range{mib, 2 * mib}, "running kernel"}}},
			want: `
memory, 32 KiB a column: . free, x reserved
0x0 |................................xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|
`,
		},
		{
			name: "no list",
			d: drawing{
				ram:      Ranges{{0, 0x10000}},
				segments: []Segment{{"kernel", Range{0, 0x4000}, nil}},
			},
			want: `
memory, 4 KiB a column: . free, x reserved, = segment
0x0 |====............|

segments, 4 KiB a column, from 0x0 to 0x5000:
free memory              |    .|
kernel               0x0 |==== |
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got bytes.Buffer
			if err := tt.d.write(&got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDrawingFits draws memory of all sizes, up to the end of the address space.
// The lines must fit into a terminal and show the list.
func TestDrawingFits(t *testing.T) {
	for shift := 12; shift < 64; shift++ {
		size := Addr(1) << shift
		for _, ram := range []Range{{0, size}, {math.MaxUint64 - size, math.MaxUint64}, {size/2 + 0x1000, size/2 + size + 0x2000}} {
			first := Range{ram.Start, ram.Start + 0x1000}
			d := drawing{
				ram: Ranges{ram}, reserved: []Region{{ram, strings.Repeat("long ", 9)}},
				segments: []Segment{{"kernel", first, nil}, {SegmentList, Range{ram.End - 0x800, ram.End}, nil}},
				list:     Range{ram.End - 1, ram.End},
			}
			var got bytes.Buffer
			if err := d.write(&got); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(got.String()) {
				if len(line) > mapWidth+1 {
					t.Errorf("memory %v: %d characters: %s", ram, len(line)-1, line)
				}
			}
			if n := strings.Count(got.String(), "#"); n < 3 {
				t.Errorf("memory %v: the list is not drawn:\n%s", ram, got.String())
			}
		}
	}
}
