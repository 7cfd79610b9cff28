// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
)

// TestElsewhere: what is no Linux is a default that nothing replaces; a Linux
// that is broken is none.
func TestElsewhere(t *testing.T) {
	const linux = "menuentry Linux --id linux { linux /k; }\n"
	for name, test := range map[string]struct {
		script string
		want   int
	}{
		"Windows": {"default=1\n" + linux + `menuentry 'Windows Boot Manager (on /dev/sda1)' --class windows --id osprober-efi-1 {
			search --no-floppy --fs-uuid --set=root E5B0-1
			chainloader /EFI/Microsoft/Boot/bootmgfw.efi
		}`, entry.Elsewhere},
		"Windows, saved": {"default=osprober-efi-1\n" + linux + "menuentry Windows --id osprober-efi-1 { chainloader +1; }", entry.Elsewhere},
		"exit":           {"menuentry 'Local boot' { exit; }\n" + linux, entry.Elsewhere},
		"installer's disk": {`default=harddisk
			menuentry "Boot from Hard Disk" --class opensuse --id harddisk {
				if search --no-floppy --file /efi/boot/fallback.efi --set; then
					chainloader ($root)/efi/boot/fallback.efi
				fi
				exit
			}` + "\n" + linux, entry.Elsewhere},
		"firmware":                 {"default=uefi-firmware\n" + linux + "menuentry 'UEFI Firmware Settings' --id uefi-firmware { fwsetup; }", entry.Elsewhere},
		"restart":                  {"default=1\n" + linux + "menuentry Restart { reboot; }", entry.Elsewhere},
		"Xen":                      {"menuentry Xen { multiboot2 /k placeholder; module2 /k; }\n" + linux, entry.Elsewhere},
		"another configuration":    {"menuentry Other { configfile /nosuch; }\n" + linux, entry.Elsewhere},
		"leaves before the menu":   {linux + "exit", entry.Elsewhere},
		"leaves a submenu":         {"submenu S {\n" + linux + "exit\n}\n" + linux, entry.Elsewhere},
		"leaves another menu":      {"menuentry S { configfile /leaves; }\n" + linux, entry.Elsewhere},
		"leaves an empty menu":     {"exit\n" + linux, entry.None},
		"in a submenu":             {"default='1>1'\n" + linux + "submenu S { menuentry A { linux /k; }\n menuentry W { chainloader +1; }\n }", entry.Elsewhere},
		"loads, but leaves":        {"menuentry A { linux /k; exit; }\n" + linux, entry.Elsewhere},
		"kernel is missing":        {"menuentry A { linux /nosuch; }\n" + linux, entry.None},
		"initrd is missing":        {"menuentry A { linux /k; initrd /nosuch; }\n" + linux, entry.None},
		"missing in a submenu":     {"default='1>0'\n" + linux + "submenu S { menuentry A { linux /nosuch; }\n menuentry B { linux /k; }\n }", entry.None},
		"not the default":          {linux + "menuentry W { chainloader +1; }", 0},
		"no such, then the first":  {"default=nosuch\n" + linux + "menuentry W { chainloader +1; }", 0},
		"no such, then no Linux":   {"default=nosuch\nmenuentry W { chainloader +1; }\n" + linux, entry.Elsewhere},
		"nothing but no Linux":     {"menuentry W { chainloader +1; }", entry.Elsewhere},
		"nothing":                  {"true", entry.None},
		"saved BLS entry is gone":  {"blscfg\ndefault=broken", entry.None},
		"a number of broken BLS":   {"default=1\nblscfg\nmenuentry A { linux /k; }", entry.None},
		"no Linux after BLS":       {"default=2\nblscfg\nmenuentry W { chainloader +1; }", entry.Elsewhere},
		"Linux instead of another": {"menuentry A { if chainloader /nosuch; then true; else linux /k; fi; }", 0},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, "sda1", "", "", map[string]string{
				"grub/grub.cfg": test.script + "\n", "k": "", "leaves": linux + "exit",
				"loader/entries/good.conf": "title good\nlinux /k\n", "loader/entries/broken.conf": "title broken\nlinux /nosuch\n",
			})
			c, err := Parse(v, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.Default != test.want {
				t.Errorf("%d, want %d: %q", c.Default, test.want, lines(c))
			}
			noted := strings.Contains(strings.Join(c.Notes, "\n"), "sda1:/grub/grub.cfg: the default is left out")
			if want := test.want < 0 && len(c.Entries) > 0 || name == "nothing but no Linux"; noted != want {
				t.Error(c.Notes)
			}
		})
	}
}

func TestFallback(t *testing.T) {
	const linux = "menuentry B --id b { linux /k; }\nmenuentry C { linux /k; }\n"
	for name, test := range map[string]struct {
		script string
		want   int
	}{
		"none":               {"menuentry A { linux /nosuch; }\n" + linux, entry.None},
		"number":             {"fallback=2\nmenuentry A { linux /nosuch; }\n" + linux, 1},
		"list":               {"fallback=' 0 2 1'\nmenuentry A { linux /nosuch; }\n" + linux, 1},
		"no names":           {"fallback=b\nmenuentry A { linux /nosuch; }\n" + linux, entry.None},
		"a name ends it":     {"fallback='0 b 2'\nmenuentry A { linux /nosuch; }\n" + linux, entry.None},
		"no such":            {"fallback='7 2'\nmenuentry A { linux /nosuch; }\n" + linux, entry.None},
		"begins with 2":      {"fallback='2x 1'\nmenuentry A { linux /nosuch; }\n" + linux, 1},
		"with BLS, id":       {"fallback='0 b'\nmenuentry A { linux /nosuch; }\n" + linux + "blscfg", 0},
		"with BLS, title":    {"fallback='1st C'\nmenuentry A { linux /nosuch; }\nmenuentry '1st C' { linux /k; }\nblscfg", 0},
		"with BLS, entry":    {"fallback='good 1'\nmenuentry A { linux /nosuch; }\n" + linux + "blscfg", 2},
		"of a BLS entry":     {"default=broken; fallback=0\nblscfg", 0},
		"with BLS, number":   {"fallback='2x 1'\nmenuentry A { linux /nosuch; }\n" + linux + "blscfg", entry.None},
		"not needed":         {"fallback=2; default=1\nmenuentry A { linux /nosuch; }\n" + linux, 0},
		"missing, too":       {"fallback='0 1'\nmenuentry A { linux /nosuch; }\nmenuentry B { linux /nosuch; }\n" + linux, entry.None},
		"is a submenu":       {"fallback='1 2'\nmenuentry A { linux /nosuch; }\nsubmenu S {\n" + linux + "}\n" + linux, entry.Elsewhere},
		"is no Linux":        {"fallback='1 2'\nmenuentry A { linux /nosuch; }\nmenuentry W { chainloader +1; }\n" + linux, entry.Elsewhere},
		"no Linux":           {"fallback=1\nmenuentry A { chainloader +1; }\n" + linux, entry.Elsewhere},
		"in a submenu":       {"fallback=0\nexport fallback\nmenuentry Z { linux /k; }\ndefault='1>1'\nsubmenu S { menuentry A { linux /k; }\nmenuentry B { linux /nosuch; }\n}\n", 1},
		"of another submenu": {"fallback=0\nmenuentry Z { linux /k; }\ndefault='1>0'\nsubmenu S { menuentry B { linux /nosuch; }\n}\n", entry.None},
		"no menu":            {"fallback=0", entry.None},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, "sda1", "", "", map[string]string{
				"grub/grub.cfg": test.script, "k": "", "loader/entries/good.conf": "title good\nlinux /k\n",
				"loader/entries/broken.conf": "title broken\nlinux /nosuch\n",
			})
			c, err := Parse(v, nil)
			if err != nil || c.Default != test.want {
				t.Errorf("%d, want %d: %q, %v", c.Default, test.want, lines(c), err)
			}
		})
	}
}

func TestTookBLS(t *testing.T) {
	files := func(script string) map[string]string {
		return map[string]string{
			"grub2/grub.cfg": script + "\nmenuentry A { linux /k; }\n", "k": "",
			"loader/entries/a.conf": "title B\nlinux /k\n",
			"other.cfg":             "menuentry O { linux /k; }\n",
		}
	}
	for name, test := range map[string]struct {
		script string
		want   []string
	}{
		"without":           {"true", nil},
		"its own":           {"blscfg", []string{"sda1"}},
		"of boot":           {"search --label --set=boot BOOT\nblscfg", []string{"sda2"}},
		"of root":           {"search --label --set=root BOOT\nblscfg", []string{"sda2"}},
		"twice":             {"blscfg\nblscfg", []string{"sda1"}},
		"both":              {"boot=sda2; blscfg\nboot=sda1; blscfg", []string{"sda2", "sda1"}},
		"in a submenu":      {"submenu S { boot=sda2; blscfg; }", []string{"sda2"}},
		"in an entry":       {"menuentry E { blscfg; }", nil},
		"none there":        {"boot=sda3; blscfg", nil},
		"another menu":      {"blscfg\nconfigfile /other.cfg", nil},
		"of another menu's": {"configfile (sda2)/grub2/grub.cfg", []string{"sda2"}},
	} {
		t.Run(name, func(t *testing.T) {
			all := entry.Volumes{
				open(t, "sda1", "", "", files(test.script)),
				open(t, "sda2", "", "BOOT", files("boot=sda2; blscfg")),
				open(t, "sda3", "", "", empty("k")),
			}
			c, err := Parse(all[0], all)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range c.TookBLS {
				got = append(got, v.Device)
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d, lines(c))
			}
		})
	}
}
