// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package human

import "testing"

func TestCount(t *testing.T) {
	for _, tt := range []struct {
		n            int
		plural, want string
	}{
		{0, "hops", "0 hops"},
		{1, "hops", "1 hop"},
		{1, "entries", "1 entry"},
		{2, "entries", "2 entries"},
	} {
		if got := Count(tt.n, tt.plural); got != tt.want {
			t.Errorf("%d %s: %q, want %q", tt.n, tt.plural, got, tt.want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 10<<10 - 1: "10239 bytes", 10 << 10: "10 KiB", 1 << 20: "1.0 MiB", 3 << 19: "1.5 MiB", 10 << 20: "10 MiB",
	} {
		if got := Size(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text   string
		indent int
		want   string
	}{
		{"", 0, "\n"},
		{"one two three", 0, "one two\nthree\n"},
		{"one  two\nthree", 2, "  one\n  two\n  three\n"},
		{"a wide-word-here b", 1, " a\n wide-word-here\n b\n"},
		{"äöü äöü b", 0, "äöü äöü\nb\n"},
	} {
		if got := Wrap(tt.text, tt.indent, 7); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}
