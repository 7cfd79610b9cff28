// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package syslinuxtest has configurations that SYSLINUX and PXELINUX read
// alike, and what they boot if nobody chooses.
package syslinuxtest

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

// A Case is a configuration, and its default in the form of Check.
type Case struct{ Name, Text, Want string }

// Two are labels that most cases have.
const Two = "label a\nlinux /k\nappend one\nlabel b\nlinux /k\nappend two\n"

const (
	disk = "label disk\nlocalboot -1\n"
	sub  = "menu begin x\nlabel s\nlinux /k\nappend sub\nmenu default\nmenu end\n"
)

// Files are in the directory of the configuration. A disk also has /k and /i.
var Files = map[string]string{
	"sub.cfg":  "label i\nlinux /k\nappend inc\nmenu default\n",
	"head.cfg": "append head\nmenu default\n",
	"text.cfg": "label t\nlinux /k\ntext help\nlabel u\n",
}

// Defaults are cases for both.
var Defaults = []Case{
	// What the disk or another program is for.
	{"Cobbler", "default menu\nprompt 0\nontimeout disk\n" + disk + "menu default\n" + Two, "elsewhere"},
	{"Foreman", "ui vesamenu.c32\ndefault disk\n" + Two + disk, "elsewhere"},
	{"SUSE's medium", "default disk\n" + disk + Two, "elsewhere"},
	{"the menu begins with the disk", "ui menu.c32\n" + disk + Two, "elsewhere"},
	{"the disk is MENU DEFAULT", Two + disk + "menu default\ndefault menu.c32\n", "elsewhere"},
	{"another module", "default c\n" + Two + "label c\ncom32 chain.c32\nappend hd0\n", "elsewhere"},
	{"another module with options", "default c\n" + Two + "label c\nkernel chain.c32 hd0\n", "elsewhere"},
	{"another configuration", "default c\n" + Two + "label c\nconfig other.cfg\n", "elsewhere"},
	{"no kernel", "default c\n" + Two + "label c\nmenu label C\n", "elsewhere"},
	{"no label, but a module", "default chain.c32 hd0\n" + Two, "elsewhere"},
	{"no label, but a module when the time is over", "prompt 1\ndefault a\nontimeout chain.c32 hd0\n" + Two, "elsewhere"},
	{"a disk's emulator", "default d\nlabel d\nlinux tools/memdisk\ninitrd i\n" + Two, "elsewhere"},
	{"iPXE", "default d\nlabel d\nkernel boot/ipxe.lkrn\n" + Two, "elsewhere"},
	{"a program of EFI", "default d\nlabel d\nlinux /EFI/BOOT/shellx64.efi\n" + Two, "elsewhere"},
	{"the last of what a label boots counts", "default l\nlabel l\nlocalboot 0\nkernel k\nappend x\n" + Two, "l x"},
	{"the last of what a label boots is the disk", "default l\nlabel l\nkernel k\nlocalboot 0\n" + Two, "elsewhere"},

	// Menus.
	{"a label of that name is the menu", Two + "label menu\nkernel menu.c32\ndefault menu\n", "a one"},
	{"another configuration's menu", "default menu.c32 other.cfg\n" + Two + "menu default\n", "elsewhere"},
	{"another configuration's menu by a short name", "default menu other.cfg\n" + Two + "menu default\n", "elsewhere"},
	{"another configuration's menu is the UI", "ui menu.c32 other.cfg\ndefault b\n" + Two, "elsewhere"},
	{"this configuration's menu", "default menu.c32 ~\n" + Two, "a one"},
	{"this configuration's menu with another's colors", "ui menu.c32 colors.cfg ~\n" + Two, "a one"},
	{"gfxboot's files are no configurations", "default gfxboot bootlogo\n" + Two, "a one"},
	{"gfxboot is the UI", "ui gfxboot bootlogo message\ndefault b\n" + Two, "b two"},
	{"another module is the UI", "ui hdt.c32\ndefault b\n" + Two, "elsewhere"},
	{"a label is the UI", "ui b\ndefault a\n" + Two, "b two"},
	{"of two UIs the last", "ui hdt.c32\nui menu.c32\n" + Two, "a one"},
	{"a label of that name is another configuration's menu", Two + "label m\nkernel menu.c32\nappend other.cfg\ndefault m\n", "elsewhere"},
	{"a menu that the global line is for, too", "append ~\n" + Two + "label m\ncom32 menu.c32\ndefault m\n", "a one"},
	{"a label of that name is none", "default menu\n" + Two + "label menu\nlinux /k\nappend m\n", "menu m"},
	{"DEFAULT before MENU DEFAULT", Two + "menu default\ndefault a\nui menu.c32\n", "a one"},
	{"MENU DEFAULT before the first", Two + "menu default\n", "b two"},
	{"MENU DEFAULT of a submenu", "default menu.c32\n" + Two + sub, "a one"},
	{"MENU DEFAULT behind submenus", sub + "menu end\n" + Two + "menu default\n", "b two"},
	{"MENU DEFAULT in an include that is a submenu", "include sub.cfg tag\n" + Two, "a one"},
	{"MENU DEFAULT in an include", "include sub.cfg\n" + Two, "i inc"},
	{"a text ends with its file", "default b\ninclude text.cfg\n" + Two, "b two"},
	{"an include that is a submenu ends a label", "ui menu.c32\n" + Two + "menu include head.cfg tag\n", "a one"},
	{"MENU DEFAULT of a disabled label", "ui menu.c32\n" + Two + "label d\nlinux /k\nmenu default\nmenu disable\n", "a one"},
	{"neither a submenu's label nor a disabled one is first", sub + "label d\nlinux /k\nmenu disable\n" + Two, "a one"},
	{"a hidden label is not first", "ui menu.c32\nlabel h\nmenu hide\nlinux k\n" + Two, "a one"},
	{"a menu passes a hidden DEFAULT over", "ui menu.c32\ndefault h\nlabel h\nmenu hide\nlinux k\n" + Two, "a one"},
	{"a menu passes a disabled DEFAULT over", "ui menu.c32\ndefault d\nlabel d\nmenu disable\nlinux k\n" + Two + "menu default\n", "b two"},
	{"a menu passes an unknown default over", "ui menu.c32\ndefault none\n" + Two, "a one"},
	{"a hidden label is DEFAULT", "default h\nlabel h\nmenu hide\nlinux /k\nappend h\n" + Two, "h h"},
	{"the way to another menu is DEFAULT", "default m\nlabel m\nmenu goto x\n" + Two, "elsewhere"},
	{"a submenu's label is DEFAULT", "default s\n" + Two + sub, "s sub"},

	// Names of labels.
	{"a label with a blank", "default b c\nlabel b c\nlinux /k\nappend x\n" + Two, "b c x"},
	{"a label with a remark", "default c\n" + Two + "label c # of the lab\nlinux k\nappend x", "c # of the lab x"},
	{"a label with a blank and another", "default b 3\nlabel b 2\nlinux /k\nlabel b 3\nlinux /k\nappend x", "b 3 x"},
	{"an unknown default", "default none\n" + Two, "none"},
	{"nothing", "", "none"},

	// The time is over.
	{"ONTIMEOUT before all", Two + "menu default\nprompt 1\ndefault b\nontimeout a\n", "a one"},
	{"ONTIMEOUT is the menu", "ontimeout menu.c32\ndefault b\n" + Two, "b two"},
	{"ONTIMEOUT with options", "ontimeout b single  x\n" + Two, "b two single  x"},
	{"DEFAULT with options", "default b single\n" + Two, "b two single"},
	{"DEFAULT with options, for a menu", "ui menu.c32\ndefault b single\n" + Two, "b two"},
	{"DEFAULT with options for the disk", "default disk 1\n" + Two + disk, "elsewhere"},
	{"DEFAULT with too many options", "default b " + strings.Repeat("x", 1<<16) + "\n" + Two, "elsewhere"},
	{"ONTIMEOUT of a submenu", "ui menu.c32\nmenu begin x\nontimeout b\nmenu end\n" + Two, "a one"},
	{"no time to be over", Two + "prompt 0\ndefault b\nontimeout a\n", "b two"},
	{"no time to be over: PROMPT is a number", Two + "prompt no\ndefault b\nontimeout a\n", "b two"},
	{"time to be over: PROMPT with a remark", Two + "prompt 1 # wait\ndefault b\nontimeout a\n", "a one"},
	{"time to be over in a menu", Two + "prompt 0\nui menu.c32\ndefault b\nontimeout a\n", "a one"},
	{"a label's command line", "prompt 1\ndefault b\nontimeout /k  one\n" + Two, "a one"},
	{"a label's command line with an initrd", "prompt 1\nappend x\nontimeout /k initrd=/i d\n" + Two + "label c\nlinux k\nappend x initrd=/i d", "c x initrd=/i d"},
	{"another command line", "append all\nontimeout /k initrd=/i,/k three\n" + Two, "all initrd=/i,/k three"},
	{"a command line with too many initrds", "ontimeout /k initrd=" + strings.Repeat("i,", 1000) + "\n" + Two, "elsewhere"},
}

// Check compares a configuration's default with that of a case: its ID and
// command line, or elsewhere, or none.
func Check(t *testing.T, want string, c *entry.Config) {
	t.Helper()
	got := "none"
	switch {
	case c.Default >= 0:
		got = strings.TrimSpace(c.Entries[c.Default].ID + " " + c.Entries[c.Default].Cmdline)
	case c.Default == entry.Elsewhere:
		got = "elsewhere"
	}
	if got != want {
		t.Errorf("default %q, want %q; notes %q", got, want, c.Notes)
	}
	for _, note := range c.Notes {
		if strings.Contains(note, "\x1b") {
			t.Errorf("note %q", note)
		}
	}
}

// CheckBounded parses a configuration whose labels share a long text, which
// must take neither much time nor much memory. If no entries are expected there
// must be notes; otherwise there must be none.
func CheckBounded(t *testing.T, entries int, parse func() (*entry.Config, error)) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	c, err := parse()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	n := after.TotalAlloc - before.TotalAlloc
	if n > 50<<20 || took > 10*time.Second {
		t.Errorf("%d bytes, %v", n, took)
	}
	t.Logf("%d bytes, %v", n, took)
	if len(c.Entries) != entries || (len(c.Notes) > 0) != (entries == 0) {
		t.Errorf("%d entries, want %d, notes %.200q", len(c.Entries), entries, c.Notes)
	}
}
