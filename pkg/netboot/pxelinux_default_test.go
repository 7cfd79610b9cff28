// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/pkg/internal/syslinuxtest"
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
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			c, err := parsePXELINUX(t.Context(), mustParse(t, "http://h/"), "http://h/default", []byte(text.String()), testLease(), (&site{}).read)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 50<<20 || took > 10*time.Second {
				t.Errorf("%d bytes, %v", n, took)
			}
			t.Logf("%d bytes, %v", after.TotalAlloc-before.TotalAlloc, took)
			if len(c.Entries) != tt.entries || (len(c.Notes) > 0) != (tt.entries == 0) {
				t.Errorf("%d entries, want %d, notes %.200q", len(c.Entries), tt.entries, c.Notes)
			}
		})
	}
}
