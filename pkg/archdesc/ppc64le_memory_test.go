// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/u-root/u-root/pkg/dt"
)

func TestLMBRanges(t *testing.T) {
	be := func(words ...uint32) []byte {
		var b []byte
		for _, w := range words {
			b = binary.BigEndian.AppendUint32(b, w)
		}
		return b
	}
	const size = 0x10000000
	node := func(name string, value []byte) *dt.Node {
		return dt.NewNode("ibm,dynamic-reconfiguration-memory",
			dt.WithProperty(dt.PropertyU64("ibm,lmb-size", size), dt.Property{Name: name, Value: value}))
	}
	for _, tt := range []struct {
		name string
		node *dt.Node
		want []Range
		bad  bool
	}{
		{name: "none"},
		{name: "first form", node: node("ibm,dynamic-memory", be(3,
			0, 0x10000000, 1, 0, 0, 0x8,
			0, 0x20000000, 2, 0, 0, 0,
			1, 0, 3, 0, 0, 0x88)),
			want: []Range{{0x10000000, 0x20000000}}},
		{name: "second form", node: node("ibm,dynamic-memory-v2", be(2,
			4, 1, 0x10000000, 1, 0, 0x8,
			9, 2, 0, 1, 0, 0)),
			want: []Range{{0x110000000, 0x150000000}}},
		{name: "too few entries", node: node("ibm,dynamic-memory", be(2, 0, 0, 0, 0, 0, 8)), bad: true},
		{name: "count wraps", node: node("ibm,dynamic-memory", be(0xffffffff)), bad: true},
		{name: "beyond the address space", node: node("ibm,dynamic-memory-v2", be(1, 0xffffffff, 0xffffffff, 0, 0, 0, 8)), bad: true},
		{name: "no size", node: dt.NewNode("m", dt.WithProperty(dt.Property{Name: "ibm,dynamic-memory", Value: be(0)})), bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := lmbRanges(tt.node)
			if (err != nil) != tt.bad || (tt.bad && !errors.Is(err, ErrBadTree)) {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
