// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import "testing"

func TestMirrorPattern(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"deb http://mirror.example/debian bookworm main\n", "http://mirror.example/debian"},
		{"# deb http://old.example/debian x\ndeb [signed-by=/k arch=amd64] http://mirror.example/debian/ trixie main\n", "http://mirror.example/debian/"},
		{"Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie\n", "http://mirror.example/debian"},
		{"deb http://mirror.example/debian-security bookworm-security main\n", ""},
		{"deb http://other.example/apt stable main\n", ""},
	} {
		got := ""
		if m := mirrorPattern.FindStringSubmatch(tt.text); m != nil {
			got = m[1]
		}
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}
