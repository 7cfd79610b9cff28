// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package entry

import "testing"

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		`Debian "x" \ y, für`:        `Debian "x" \ y, für`,
		"\x1b[2Jrm\r\n\x00\u202etxt": `\x1b[2Jrm\r\n\x00\u202etxt`,
		"\xff":                       `\xff`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestKey(t *testing.T) {
	v := &Volume{Device: "sda1"}
	a := Entry{Title: "a", Kernel: File{Volume: v, Name: "/k"}, Initrds: []File{{Volume: v, Name: "/i"}}, Cmdline: "ro  quiet"}
	b := a
	b.Title, b.Cmdline = "b", "ro initrd=/i quiet"
	if a.Key() != b.Key() {
		t.Error("another title makes another entry")
	}
	b.Cmdline = "ro"
	if a.Key() == b.Key() {
		t.Error("another command line is the same")
	}
	if got := b.Name(); got != "b" {
		t.Error(got)
	}
}
