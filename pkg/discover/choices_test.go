// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
)

func TestChoices(t *testing.T) {
	v := &entry.Volume{Device: "sda2"}
	config := func(kind string, def int, kernels ...string) *entry.Config {
		c := &entry.Config{Kind: kind, Default: def}
		for _, k := range kernels {
			c.Entries = append(c.Entries, entry.Entry{Title: kind + " " + k, Kernel: entry.File{Volume: v, Name: k}})
		}
		return c
	}
	for _, tt := range []struct {
		name    string
		configs []*entry.Config
		want    []string
	}{
		{"nothing", nil, nil},
		{"the loader's default", []*entry.Config{config("grub", 1, "a", "b")}, []string{"grub a", "*grub b"}},
		{"each once", []*entry.Config{config("grub", 0, "a", "b"), config("bls", 1, "a", "b", "c")}, []string{"*grub a", "grub b", "bls c"}},
		{"another system", []*entry.Config{config("syslinux", entry.Elsewhere, "install"), config("grub", 0, "a")}, []string{"syslinux install", "grub a"}},
		{"no default", []*entry.Config{config("kboot", -1, "a"), config("zipl", -1, "b")}, []string{"*kboot a", "zipl b"}},
		{"the first that names one", []*entry.Config{config("kboot", -1, "a"), config("zipl", 1, "b", "a")}, []string{"*kboot a", "zipl b"}},
	} {
		var got []string
		for _, c := range choicesOf(tt.configs) {
			name := c.Title
			if c.Default {
				name = "*" + name
			}
			got = append(got, name)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
