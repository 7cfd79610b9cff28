// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package bls

import (
	"cmp"
	"testing"
)

// TestCompareVersions has the examples of the specification.
func TestCompareVersions(t *testing.T) {
	for _, tt := range []struct {
		a    string
		want int
		b    string
	}{
		{"11", 0, "11"},
		{"systemd-123", 0, "systemd-123"},
		{"bar-123", -1, "foo-123"},
		{"123a", 1, "123"},
		{"123.a", 1, "123"},
		{"123.a", -1, "123.b"},
		{"123a", 1, "123.a"},
		{"11α", 0, "11β"},
		{"B", -1, "a"},
		{"", -1, "0"},
		{"0.", 1, "0"},
		{"0.0", 1, "0"},
		{"0", 1, "~"},
		{"", 1, "~"},
		{"1_", 0, "1"},
		{"_1", 0, "1"},
		{"1_", -1, "1.2"},
		{"1_2_3", 1, "1.3.3"},
		{"1+", 0, "1"},
		{"+1", 0, "1"},
		{"1+", -1, "1.2"},
		{"1+2+3", 1, "1.3.3"},
		{"007", 0, "7"},
		{"18446744073709551617", 1, "18446744073709551616"},
		{"4.18.0-80.el8.ppc64le", -1, "4.18.0-80.1.el8.ppc64le"},
		{"4.18.0-80.el8", -1, "4.18.0-147.el8"},
	} {
		if got := compareVersions(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := compareVersions(tt.b, tt.a); got != -tt.want {
			t.Errorf("%q, %q: %d, want %d", tt.b, tt.a, got, -tt.want)
		}
	}
	ascending := []string{
		"122.1", "123~rc1-1", "123", "123-a", "123-a.1", "123-1", "123-1.1", "123^post1", "123.a-1", "123.1-1",
		"123a-1", "124-1",
	}
	for i, a := range ascending {
		for j, b := range ascending {
			if got := compareVersions(a, b); got != cmp.Compare(i, j) {
				t.Errorf("%q, %q: %d", a, b, got)
			}
		}
	}
}

func FuzzCompareVersions(f *testing.F) {
	f.Add("123~rc1-1", "123^post1")
	f.Fuzz(func(t *testing.T, a, b string) {
		if compareVersions(a, b) != -compareVersions(b, a) || compareVersions(a, a) != 0 {
			t.Errorf("%q, %q: no order", a, b)
		}
	})
}
