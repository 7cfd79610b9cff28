// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

func TestSyslinuxDefault(t *testing.T) {
	const (
		two  = "label a\nlinux /k\nappend one\nlabel b\nlinux /k\nappend two\n"
		disk = "label disk\nlocalboot -1\n"
		sub  = "menu begin x\nlabel s\nlinux /k\nappend sub\nmenu default\nmenu end\n"
		inc  = "label i\nlinux /k\nappend inc\nmenu default\n"
	)
	for _, tt := range []struct{ name, text, want string }{
		{"Cobbler", "default menu\nprompt 0\nontimeout disk\n" + disk + "menu default\n" + two, "elsewhere"},
		{"Foreman", "ui vesamenu.c32\ndefault disk\n" + two + disk, "elsewhere"},
		{"SUSE's medium", "default disk\n" + disk + two, "elsewhere"},
		{"the menu begins with the disk", "ui menu.c32\n" + disk + two, "elsewhere"},
		{"the disk is MENU DEFAULT", two + disk + "menu default\ndefault menu.c32\n", "elsewhere"},
		{"another module", "default c\n" + two + "label c\ncom32 chain.c32\nappend hd0\n", "elsewhere"},
		{"another module with options", "default c\n" + two + "label c\nkernel chain.c32 hd0\n", "elsewhere"},
		{"a name that controls the console", "default c\n" + two + "label c\nkernel \x1b[2J.c32\n", "elsewhere"},
		{"another configuration", "default c\n" + two + "label c\nconfig other.cfg\n", "elsewhere"},
		{"no kernel", "default c\n" + two + "label c\nmenu label C\n", "elsewhere"},
		{"no label, but a module", "default chain.c32 hd0\n" + two, "elsewhere"},
		{"no label, but a module when the time is over", "prompt 1\ndefault a\nontimeout chain.c32 hd0\n" + two, "elsewhere"},
		{"a label of that name is the menu", two + "label menu\nkernel menu.c32\ndefault menu\n", "a one"},
		{"another configuration's menu", "default menu.c32 other.cfg\n" + two, "elsewhere"},
		{"this configuration's menu", "default menu.c32 ~\n" + two, "a one"},
		{"a label of that name is another configuration's menu", two + "label m\nkernel menu.c32\nappend other.cfg\ndefault m\n", "elsewhere"},
		{"a menu that the global line is for, too", "append ~\n" + two + "label m\ncom32 menu.c32\ndefault m\n", "a one"},
		{"a label of that name is none", "default menu\n" + two + "label menu\nlinux /k\nappend m\n", "menu m"},
		{"ONTIMEOUT before all", two + "menu default\nprompt 1\ndefault b\nontimeout a\n", "a one"},
		{"a file is DEFAULT", "append all\ndefault k one\nprompt 1\n" + two, "all one"},
		{"a label's file is DEFAULT", "default k two\n" + two, "b two"},
		{"no time to be over", two + "prompt 0\ndefault b\nontimeout a\n", "b two"},
		{"time to be over in a menu", two + "prompt 0\nui menu.c32\ndefault b\nontimeout a\n", "a one"},
		{"DEFAULT before MENU DEFAULT", two + "menu default\ndefault a\nui menu.c32\n", "a one"},
		{"ONTIMEOUT is the menu", "ontimeout menu.c32\ndefault b\n" + two, "b two"},
		{"MENU DEFAULT before the first", two + "menu default\n", "b two"},
		{"MENU DEFAULT of a submenu", "default menu.c32\n" + two + sub, "a one"},
		{"MENU DEFAULT behind submenus", sub + "menu end\n" + two + "menu default\n", "b two"},
		{"MENU DEFAULT in an include that is a submenu", "include sub.cfg tag\n" + two, "a one"},
		{"MENU DEFAULT in an include", "include sub.cfg\n" + two, "i inc"},
		{"neither a submenu's label nor a disabled one is first", sub + "label d\nlinux /k\nmenu disable\n" + two, "a one"},
		{"a hidden label is not first", "ui menu.c32\nlabel h\nmenu hide\nlinux /k\n" + two, "a one"},
		{"a hidden label is DEFAULT", "default h\nlabel h\nmenu hide\nlinux /k\nappend h\n" + two, "h h"},
		{"the way to another menu is DEFAULT", "default m\nlabel m\nmenu goto x\n" + two, "elsewhere"},
		{"a disk's emulator", "default d\nlabel d\nlinux memdisk\ninitrd i\n" + two, "elsewhere"},
		{"iPXE", "default d\nlabel d\nkernel boot/ipxe.lkrn\n" + two, "elsewhere"},
		{"a program of EFI", "default d\nlabel d\nlinux /EFI/BOOT/shellx64.efi\n" + two, "elsewhere"},
		{"a submenu's label is DEFAULT", "default s\n" + two + sub, "s sub"},
		{"ONTIMEOUT with options", "ontimeout b single\n" + two, "b two"},
		{"a label with a blank", "default b c\nlabel b c\nlinux /k\nappend x\n" + two, "b c x"},
		{"a label with a remark", "default c\n" + two + "label c # of the lab\nlinux /k\nappend x", "c # of the lab x"},
		{"a label with a blank and another", "default b 3\nlabel b 2\nlinux /k\nlabel b 3\nlinux /k\nappend x", "b 3 x"},
		{"a menu passes an unknown default over", "ui menu.c32\ndefault none\n" + two, "a one"},
		{"an unknown default", "default none\n" + two, "none"},
		{"nothing", "", "none"},
		{"a label's command line", "prompt 1\ndefault b\nontimeout /k  one\n" + two, "a one"},
		{"a label's command line with an initrd", "ontimeout k initrd=/i one\nappend x\n" + two + "label c\nlinux /k\ninitrd i\nappend x one", "c x one"},
		{"another command line", "append all\nontimeout /k initrd=i,/k three\n" + two, "all three"},
		{"a command line without a kernel", "prompt 1\ndefault b\nontimeout /none x\n" + two, "none"},
		{"a command line with too many initrds", "ontimeout /k initrd=" + strings.Repeat("i,", maxInitrds+1) + "\n" + two, "elsewhere"},
		{"the default's kernel is gone", "default c\n" + two + "label c\nlinux /none\n", "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := open(t, "sda2", map[string]string{"boot/extlinux.conf": tt.text, "boot/sub.cfg": inc, "k": "", "i": ""})
			c, err := Syslinux(v, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := "none"
			switch {
			case c.Default >= 0:
				got = strings.TrimSpace(c.Entries[c.Default].ID + " " + c.Entries[c.Default].Cmdline)
			case c.Default == entry.Elsewhere:
				got = "elsewhere"
			}
			for _, note := range c.Notes {
				if strings.Contains(note, "\x1b") {
					t.Errorf("note %q", note)
				}
			}
			if got != tt.want {
				t.Errorf("default %q, want %q; notes %q", got, tt.want, c.Notes)
			}
		})
	}
}

// TestSyslinuxBounds: what many labels share costs neither time nor memory.
func TestSyslinuxBounds(t *testing.T) {
	list := func(n int) string { return "initrd=" + strings.TrimSuffix(strings.Repeat("k,", n), ",") + "\n" }
	labels := strings.Repeat("label k\n", maxEntries)
	for _, tt := range []struct {
		name, text string
		entries    int
	}{
		{"long append", "append " + strings.Repeat("x", 900_000) + "\n" + labels, 0},
		{"long append behind options", "append " + strings.Repeat("x", 900_000) + "\n" + strings.Repeat("label k\nkernel k x\n", maxEntries), 0},
		{"long append and more", "append " + strings.Repeat("x ", 450_000) + "\nontimeout /k x\n" + labels, 0},
		{"long append with an initrd", "append initrd=k " + strings.Repeat("x ", maxCmdline/2-100) + "\n" + labels, maxEntries},
		{"many initrds", "append " + list(32_000) + labels, 0},
		{"many initrds in a list", "label k\ninitrd " + list(32_000)[7:], 0},
		{"most initrds", "append " + list(maxInitrds) + "label k\n", 1},
		{"more", "append " + list(maxInitrds+1) + "label k\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := open(t, "sda2", map[string]string{"syslinux.cfg": tt.text, "k": ""})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			c, err := Syslinux(v, nil)
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
