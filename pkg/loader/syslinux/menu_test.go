// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package syslinux

import (
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/loadertest"
	"github.com/imaboot/imaboot/pkg/internal/testing/syslinuxtest"
	"github.com/imaboot/imaboot/pkg/loader"
)

func TestDefault(t *testing.T) {
	const two = syslinuxtest.Two
	for _, tt := range append([]syslinuxtest.Case{
		{Name: "a name that controls the console", Text: "default c\n" + two + "label c\nkernel \x1b[2J.c32\n", Want: "elsewhere"},
		{Name: "this configuration's menu by its name", Text: "ui menu.c32 colors.cfg /boot/extlinux.conf\n" + two, Want: "a one"},
		{Name: "another configuration's menu of nearly that name", Text: "default menu.c32 linux.conf\n" + two, Want: "elsewhere"},
		{Name: "a file is DEFAULT", Text: "append all\ndefault k one\nprompt 1\n" + two, Want: "all one"},
		{Name: "a file is DEFAULT, but only labels are booted", Text: "implicit 0\ndefault k one\n" + two, Want: "none"},
		{Name: "the last IMPLICIT counts", Text: "implicit 0\nappend all\ndefault k one\n" + two + "implicit 1\n", Want: "all one"},
		{Name: "only labels are booted on a timeout", Text: "implicit 0\nui menu.c32\nontimeout k one\n" + two, Want: "a one"},
		{Name: "a label's file is DEFAULT", Text: "default k two\n" + two, Want: "b two"},
		{Name: "a command line without a kernel", Text: "prompt 1\ndefault b\nontimeout /none x\n" + two, Want: "none"},
		{Name: "the default's kernel is gone", Text: "default c\n" + two + "label c\nlinux /none\n", Want: "none"},
	}, syslinuxtest.Defaults...) {
		t.Run(tt.Name, func(t *testing.T) {
			files := map[string]string{"boot/extlinux.conf": tt.Text, "k": "", "i": ""}
			for name, text := range syslinuxtest.Files {
				files["boot/"+name] = text
			}
			c, err := Parse(loadertest.Open(t, "sda2", files), nil)
			if err != nil {
				t.Fatal(err)
			}
			syslinuxtest.Check(t, tt.Want, c)
		})
	}
}

// TestShared: what many labels share costs neither time nor memory.
func TestShared(t *testing.T) {
	list := func(n int) string { return "initrd=" + strings.TrimSuffix(strings.Repeat("k,", n), ",") + "\n" }
	labels := strings.Repeat("label k\n", loader.MaxEntries)
	for _, tt := range []struct {
		name, text string
		entries    int
	}{
		{"long append", "append " + strings.Repeat("x", 900_000) + "\n" + labels, 0},
		{"long append behind options", "append " + strings.Repeat("x", 900_000) + "\n" + strings.Repeat("label k\nkernel k x\n", loader.MaxEntries), 0},
		{"long append and more", "append " + strings.Repeat("x ", 450_000) + "\nontimeout /k x\n" + labels, 0},
		{"long append with an initrd", "append initrd=k " + strings.Repeat("x ", loader.MaxCmdline/2-100) + "\n" + labels, loader.MaxEntries},
		{"many initrds", "append " + list(32_000) + labels, 0},
		{"many initrds in a list", "label k\ninitrd " + list(32_000)[7:], 0},
		{"most initrds", "append " + list(loader.MaxInitrds) + "label k\n", 1},
		{"more", "append " + list(loader.MaxInitrds+1) + "label k\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := loadertest.Open(t, "sda2", map[string]string{"syslinux.cfg": tt.text, "k": ""})
			syslinuxtest.CheckBounded(t, tt.entries, func() (*entry.Config, error) { return Parse(v, nil) })
		})
	}
}
