// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package syslinux

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/loadertest"
	"github.com/imaboot/imaboot/pkg/internal/testing/syslinuxtest"
	"github.com/imaboot/imaboot/pkg/loader"
)

func TestPXEDefault(t *testing.T) {
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
			s := &loadertest.Site{Files: map[string]string{}}
			for name, text := range syslinuxtest.Files {
				s.Files["http://h/"+name] = text
			}
			c, err := (&PXE{mustParse(t, "http://h/"), loadertest.Client(""), s.Read}).Parse(t.Context(), "http://h/default", []byte(tt.Text))
			if err != nil {
				t.Fatal(err)
			}
			syslinuxtest.Check(t, tt.Want, c)
		})
	}
}

// TestPXEShared: what many labels share costs neither time nor memory.
func TestPXEShared(t *testing.T) {
	list := func(n int) string { return "initrd=" + strings.TrimSuffix(strings.Repeat("k,", n), ",") }
	for _, tt := range []struct {
		name, global, own string
		labels, entries   int
	}{
		{"long append", "append " + strings.Repeat("x", 900_000), "", loader.MaxEntries, 0},
		{"long append and more", "ipappend 2\nontimeout k x\nappend " + strings.Repeat("x ", 450_000), "initrd i\n", loader.MaxEntries, 0},
		{"many initrds", "append " + list(32_000), "", loader.MaxEntries, 0},
		{"many initrds of their own", "append x", "initrd " + list(32_000)[7:] + "\n", 1, 0},
		{"most initrds", "append " + list(loader.MaxInitrds), "", loader.MaxEntries, loader.MaxEntries},
		{"more", "append " + list(loader.MaxInitrds+1), "", 1, 0},
		{"most", "append " + strings.Repeat("x", loader.MaxCmdline), "", loader.MaxEntries, loader.MaxEntries},
		{"longer", "append " + strings.Repeat("x", loader.MaxCmdline+1), "", 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := &strings.Builder{}
			fmt.Fprintln(text, tt.global)
			for i := range tt.labels {
				fmt.Fprintf(text, "label %d\nkernel k\n%s", i, tt.own)
			}
			syslinuxtest.CheckBounded(t, tt.entries, func() (*entry.Config, error) {
				return (&PXE{mustParse(t, "http://h/"), loadertest.Client(""), (&loadertest.Site{}).Read}).Parse(t.Context(), "http://h/default", []byte(text.String()))
			})
		})
	}
}
