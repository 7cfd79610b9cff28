// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

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
		if got := count(tt.n, tt.plural); got != tt.want {
			t.Errorf("%d %s: %q, want %q", tt.n, tt.plural, got, tt.want)
		}
	}
}
