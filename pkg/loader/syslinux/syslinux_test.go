// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package syslinux

import (
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/internal/testing/loadertest"
	"github.com/imaboot/imaboot/pkg/loader"
)

var cases = []loadertest.Case{
	{
		Name: "Debian's u-boot-menu",
		Files: loadertest.Files(map[string]string{"boot/extlinux/extlinux.conf": `## /boot/extlinux/extlinux.conf
default l0
menu title U-Boot menu
prompt 0
timeout 50


label l0
	menu label Debian GNU/Linux 12 (bookworm) 6.1.0-18
	linux /boot/vmlinuz-6.1.0-18
	initrd /boot/initrd.img-6.1.0-18
	fdt /usr/lib/linux-image/board.dtb
	append root=UUID=1 ro quiet

label l0r
	menu label Debian GNU/Linux 12 (bookworm) 6.1.0-18 (^rescue)
	linux ../vmlinuz-6.1.0-18
	initrd /initrd.img-6.1.0-18
	fdtdir /usr/lib/linux-image
	append root=UUID=1 ro single
`}, "boot/vmlinuz-6.1.0-18", "boot/initrd.img-6.1.0-18", "usr/lib/linux-image/board.dtb"),
		Want: []string{
			"*l0|Debian GNU/Linux 12 (bookworm) 6.1.0-18|sda2:/boot/vmlinuz-6.1.0-18|sda2:/boot/initrd.img-6.1.0-18|sda2:/usr/lib/linux-image/board.dtb|root=UUID=1 ro quiet",
			"l0r|Debian GNU/Linux 12 (bookworm) 6.1.0-18 (rescue)|sda2:/boot/vmlinuz-6.1.0-18|sda2:/boot/initrd.img-6.1.0-18||root=UUID=1 ro single",
		},
		Timeout: "5s",
		Notes:   []string{"sda2:/boot/extlinux/extlinux.conf:19: fdtdir has no effect"},
	},
	{
		Name: "a medium: includes, a menu program, several initrds, the global append",
		Files: loadertest.Files(map[string]string{
			"isolinux/isolinux.cfg": "# D-I\npath\nInclude menu.cfg\nDEFAULT vesamenu.c32\nPROMPT 0\nTIMEOUT 0\n",
			"isolinux/menu.cfg": "menu hshift 7\nappend quiet\nlabel install\n\tmenu label ^Install\n\tkernel linux\n\tinitrd a.gz,/b.gz\n" +
				"menu begin advanced\n\tmenu label ^Advanced options\n\tinclude sub.cfg x\nmenu end\n",
			"isolinux/sub.cfg": "label expert\n\tmenu default\n\tkernel linux\n\tappend priority=low initrd=a.gz initrd=none ---\n" +
				"\ttext help\n  kernel not this one\n\tendtext\nlabel none\nkernel linux\nappend -\n" +
				"label hdt\nkernel hdt.c32\nlabel disk\nlocalboot 0x80\n",
		}, "isolinux/linux", "isolinux/a.gz", "b.gz"),
		Want: []string{
			"*install|Install|sda2:/isolinux/linux|sda2:/isolinux/a.gz,sda2:/b.gz||quiet",
			"expert||sda2:/isolinux/linux|sda2:/isolinux/a.gz||priority=low initrd=a.gz initrd=none ---",
			"none||sda2:/isolinux/linux|||",
		},
		Timeout: "-1ns",
		Notes: []string{
			`sda2:/isolinux/sub.cfg:11: "hdt" is left out: hdt.c32 is no Linux kernel`,
			`sda2:/isolinux/sub.cfg:13: "disk" is left out: localboot is no Linux kernel`,
		},
	},
	{
		Name: "menu default, and a kernel that the label names",
		Files: loadertest.Files(map[string]string{
			"syslinux.cfg": "ui menu.c32\nlabel a\nlinux /k\nlabel k\nmenu default\n"}, "k"),
		Want: []string{"a||sda2:/k|||", "*k||sda2:/k|||"},
	},
	{
		Name: "what lead to other menus, separators, options behind the kernel, lines that end with a backslash",
		Files: loadertest.Files(map[string]string{"isolinux.cfg": "ui vesamenu.c32\nsay \\\nsay /__\\\ntimeout 150 # tenths\n" +
			"menu begin more\ntimeout 30\nlabel back\nmenu label ^Back\nmenu exit\nmenu end\n" +
			"label a\nlinux casper/vmlinuz.efi boot=casper initrd=i\nappend quiet ---\nmenu separator\nappend not a's\n" +
			"label b and more\nkernel k splash\ninitrd i\nappend -\nlabel main\nmenu goto .top\nlabel k too\n"}, "casper/vmlinuz.efi", "k", "i"),
		Want: []string{
			"*a||sda2:/casper/vmlinuz.efi|sda2:/i||boot=casper initrd=i quiet ---", "b and more||sda2:/k|sda2:/i||splash",
			"k too||sda2:/k|||not a's",
		},
		Timeout: "15s",
	},
	{
		Name: "initrds of a command line come before the label's, and it stays as it is",
		Files: loadertest.Files(map[string]string{"syslinux.cfg": "label a\nkernel k\ninitrd j\nappend\tx  initrd=i\ty initrd=none \"z\"\n" +
			"label b\nkernel k initrd=j\nappend initrd=i\nlabel c\nkernel k\nappend initrd= noinitrd=i\ninitrd j\n"}, "k", "i", "j"),
		Want: []string{
			"*a||sda2:/k|sda2:/i||x  initrd=i\ty initrd=none \"z\"", "b||sda2:/k|sda2:/j||initrd=j initrd=i",
			"c||sda2:/k|sda2:/j||initrd= noinitrd=i",
		},
	},
	{
		Name:  "a default with options",
		Files: loadertest.Files(map[string]string{"syslinux/syslinux.cfg": "default b single\nlabel a\nlinux /k\nlabel b\nlinux /k\n"}, "k"),
		Want:  []string{"a||sda2:/k|||", "b||sda2:/k|||", "*b||sda2:/k|||single"},
	},
	{
		Name: "the first entry boots no Linux, and mistakes",
		Files: loadertest.Files(map[string]string{"syslinux.cfg": "timeout x\ninclude none.cfg\nmenu label x\nkernel /k\nlabel disk\ncom32 chain.c32\n" +
			"label a\nlinux /none\nlabel b\nlinux /k\ninitrd /none\nlabel c\nlinux /k\nfdt /none\nlabel d\nlinux k\n"}, "k"),
		Want:      []string{"d||sda2:/k|||"},
		Elsewhere: true,
		Notes: []string{
			`sda2:/syslinux.cfg:1: timeout "x"`,
			`sda2:/syslinux.cfg:2: include: "none.cfg": `,
			`sda2:/syslinux.cfg:5: "disk" is left out: com32 is no Linux kernel`,
			`sda2:/syslinux.cfg:7: "a" is left out: kernel: "/none": `,
			`sda2:/syslinux.cfg:9: "b" is left out: initrd: "/none": `,
			`sda2:/syslinux.cfg:12: "c" is left out: device tree: "/none": `,
		},
	},
	{
		Name: "directives with an equals sign, and Petitboot's device tree",
		Files: loadertest.Files(map[string]string{"syslinux.cfg": "label n\n  kernel=k a\n  INITRD=i\n  append=ro x=y\nlabel m\nlinux=k\ndtb d.dtb\nother=k\nappend = z\n"},
			"k", "i", "d.dtb"),
		Want: []string{"*n||sda2:/k|sda2:/i||a ro x=y", "m||sda2:/k||sda2:/d.dtb|= z"},
	},
	{
		Name:  "a default that is not there",
		Files: loadertest.Files(map[string]string{"extlinux.conf": "default none\nlabel k\n"}, "k"),
		Want:  []string{"k||sda2:/k|||"},
		Notes: []string{`sda2:/extlinux.conf: default: kernel: "none": `},
	},
}

func TestParse(t *testing.T) { loadertest.Run(t, Parse, cases) }

func TestFiles(t *testing.T) { loadertest.CheckFiles(t, "syslinux", Parse, files) }

// TestBounds: neither many entries nor long lines that all of them share take
// long.
func TestBounds(t *testing.T) {
	labels := strings.Repeat("label a\n", loadertest.Many)
	loadertest.CheckBounds(t, Parse, "syslinux.cfg", labels+"include syslinux.cfg\n", loader.MaxEntries)
	loadertest.CheckBounds(t, Parse, "syslinux.cfg", "append "+loadertest.Long+"\n"+labels, 0)
}

// TestPaths: what is at the end of long links costs little.
func TestPaths(t *testing.T) {
	loadertest.CheckPaths(t, Parse, map[string]string{"syslinux.cfg": strings.Repeat("label a\nlinux /link/a\ninitrd "+strings.Repeat("/link/a,", 60)+"\n", 1000)})
}

func FuzzParse(f *testing.F) { loadertest.Fuzz(f, Parse, files, cases) }
