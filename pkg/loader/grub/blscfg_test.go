// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"slices"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/entry"
)

// TestBlscfg: what the arguments of blscfg ask for. The volumes have entries
// a to c in the usual place, and d in another.
func TestBlscfg(t *testing.T) {
	for script, want := range map[string]string{
		"blscfg": "*c b a", "blscfg; blscfg": "*c b a", "bls_import": "*c b a",
		"default=b\nblscfg default\nblscfg non-default":                            "*b c a",
		"default=b\nblscfg default\nmenuentry X { linux /k; }\nblscfg non-default": "*b X c a",
		"default=B\nblscfg default":                                                "*b",
		"default=1\nblscfg non-default":                                            "c *a",
		"blscfg default":                                                           "",
		"blscfg b":                                                                 "*b",
		"blscfg nosuch":                                                            "",
		"blscfg b\nblscfg":                                                         "*b c a",
		"fallback=1\ndefault=b\nblscfg default\nblscfg non-default":                "*b c a",
		"blscfg ($root)/other":                                                     "*d",
		"blscfg (sda2)/other":                                                      "*e",
		"blscfg (hd0,gpt2)/other/e.conf":                                           "*e",
		"blscfg (sda2)/none":                                                       "",
		"blsdir=/other\nblscfg":                                                    "*d",
		"blscfg --path /other":                                                     "*d",
		"blscfg -p ($root)/other -f":                                               "*d",
		"blscfg --path ($root)/none --enable-fallback":                             "*c b a",
		"blscfg --path ($root)/none":                                               "",
		"default=b\nblscfg --show-default; blscfg --show-non-default":              "*b c a",
		"blscfg --entry b.conf":                                                    "*b",
		"blscfg --entry b --show-default":                                          "*b",
		"blscfg -dn; blscfg -n":                                                    "*c b a c b a",
		"blscfg --nosuch":                                                          "",
		"submenu S { blscfg; }":                                                    "*c b a",
		"boot=sda2\nblscfg":                                                        "*f",
	} {
		t.Run(script, func(t *testing.T) {
			all := entry.Volumes{
				open(t, "sda1", "", "", map[string]string{
					"grub/grub.cfg": script + "\n", "k": "", "other/d.conf": "linux /k\n",
					"loader/entries/a.conf": "linux /k\n", "loader/entries/b.conf": "title B\nlinux /k\n", "loader/entries/c.conf": "linux /k\n",
				}),
				open(t, "sda2", "", "", map[string]string{"k": "", "other/e.conf": "linux /k\n", "loader/entries/f.conf": "linux /k\n"}),
			}
			c, err := Parse(all[0], all)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, e := range c.Entries {
				mark := ""
				if i == c.Default {
					mark = "*"
				}
				got = append(got, mark+e.ID)
			}
			if !slices.Equal(got, strings.Fields(want)) {
				t.Errorf("%q, want %q: %q", got, want, c.Notes)
			}
		})
	}
}
