// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/syslinuxtest"
)

func TestPXELINUXDefault(t *testing.T) {
	const two = syslinuxtest.Two
	for _, tt := range append([]syslinuxtest.Case{
		{Name: "a label's command line, but for SYSAPPEND", Want: "c initrd=i d",
			Text: "ipappend 4\nontimeout /k initrd=i d\n" + two + "label c\nlinux k\nappend initrd=i d\nipappend 0"},
		{Name: "another command line with what SYSAPPEND adds", Want: "all three BOOTIF=01-52-54-00-12-ab-56",
			Text: "append all\nipappend 2\nontimeout /k three\n" + two},
		{Name: "this configuration's menu by its name", Text: "label m\nkernel vesamenu.c32\nappend default\n" + two + "menu default\ndefault m\n", Want: "b two"},
		{Name: "a command line that names no file", Text: "ontimeout nfs://x\n" + two, Want: "elsewhere"},
	}, syslinuxtest.Defaults...) {
		t.Run(tt.Name, func(t *testing.T) {
			s := &site{files: map[string]string{}}
			for name, text := range syslinuxtest.Files {
				s.files["http://h/"+name] = text
			}
			c, err := parsePXELINUX(t.Context(), mustParse(t, "http://h/"), "http://h/default", []byte(tt.Text), testLease(), s.read)
			if err != nil {
				t.Fatal(err)
			}
			syslinuxtest.Check(t, tt.Want, c)
		})
	}
}

// TestPXELINUXBounds: what many labels share costs neither time nor memory.
func TestPXELINUXBounds(t *testing.T) {
	list := func(n int) string { return "initrd=" + strings.TrimSuffix(strings.Repeat("k,", n), ",") }
	for _, tt := range []struct {
		name, global, own string
		labels, entries   int
	}{
		{"long append", "append " + strings.Repeat("x", 900_000), "", maxEntries, 0},
		{"long append and more", "ipappend 2\nontimeout k x\nappend " + strings.Repeat("x ", 450_000), "initrd i\n", maxEntries, 0},
		{"many initrds", "append " + list(32_000), "", maxEntries, 0},
		{"many initrds of their own", "append x", "initrd " + list(32_000)[7:] + "\n", 1, 0},
		{"most initrds", "append " + list(maxInitrds), "", maxEntries, maxEntries},
		{"more", "append " + list(maxInitrds+1), "", 1, 0},
		{"most", "append " + strings.Repeat("x", maxCmdline-1), "", maxEntries, maxEntries},
		{"longer", "append " + strings.Repeat("x", maxCmdline), "", 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := &strings.Builder{}
			fmt.Fprintln(text, tt.global)
			for i := range tt.labels {
				fmt.Fprintf(text, "label %d\nkernel k\n%s", i, tt.own)
			}
			syslinuxtest.CheckBounded(t, tt.entries, func() (*entry.Config, error) {
				return parsePXELINUX(t.Context(), mustParse(t, "http://h/"), "http://h/default", []byte(text.String()), testLease(), (&site{}).read)
			})
		})
	}
}
