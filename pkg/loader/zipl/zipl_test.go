// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package zipl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/internal/testing/loadertest"
	"github.com/imaboot/imaboot/pkg/loader"
)

var cases = []loadertest.Case{
	{
		Name: "RHEL 7, /boot of its own",
		Files: map[string]string{"etc/zipl.conf": `[defaultboot]
defaultauto
prompt=1
timeout=5
default=linux
target=/boot
[3.10.0-957.el7.s390x]
	image=/boot/vmlinuz-957
	parameters="root=/dev/mapper/rhel-root crashkernel=auto rd.dasd=0.0.0100"
	ramdisk=/boot/initramfs-957.img
[linux]
	image=/boot/vmlinuz-327
	ramdisk=/boot/initramfs-327.img,0x1800000
	parameters='root=/dev/mapper/rhel-root'
[dump]
	dumpto=/dev/dasdb1
	target=/boot
`},
		Others: map[string]map[string]string{
			"sda1": loadertest.Files(map[string]string{}, "vmlinuz-957", "initramfs-957.img", "vmlinuz-327", "initramfs-327.img"),
			"sdb1": loadertest.Files(map[string]string{}, "boot/vmlinuz-957", "vmlinuz-957", "initramfs-957.img"),
		},
		Want: []string{
			"3.10.0-957.el7.s390x||sda1:/vmlinuz-957|sda1:/initramfs-957.img||root=/dev/mapper/rhel-root crashkernel=auto rd.dasd=0.0.0100",
			"*linux||sda1:/vmlinuz-327|sda1:/initramfs-327.img||root=/dev/mapper/rhel-root",
		},
		Timeout: "5s",
		Notes:   []string{`sda2:/etc/zipl.conf:15: "dump" is left out: it is a dumpto section`},
	},
	{
		Name: "Debian's menu, links' names, an optional section",
		Files: loadertest.Files(map[string]string{"etc/zipl.conf": `[defaultboot]
defaultmenu = menu

:menu
target = /boot
2 = old
1 = debian
10 = parm
default = 10
prompt = 1

[debian]
target = /boot
image = /boot/vmlinuz,0x10000
#image = /boot/other
ramdisk = /boot/initrd.img
parameters = root=/dev/disk/by-path/ccw-0.0.0150-part1
# Optional entries
optional = 1

[old]
image = /boot/vmlinuz.old
optional = 1

[parm]
image = /boot/vmlinuz
parmfile = /boot/parmfile,0x1000
parameters = "quiet"

[not-in-the-menu]
image = /boot/vmlinuz
`, "boot/parmfile": "root=/dev/dasda1\nro\n"}, "boot/vmlinuz", "boot/initrd.img"),
		Want: []string{
			"debian||sda2:/boot/vmlinuz|sda2:/boot/initrd.img||root=/dev/disk/by-path/ccw-0.0.0150-part1",
			"*parm||sda2:/boot/vmlinuz|||root=/dev/dasda1 ro quiet",
		},
		Timeout: "-1ns",
		Notes:   []string{`sda2:/etc/zipl.conf:21: "old" is left out: kernel: "/boot/vmlinuz.old": `},
	},
	{
		Name: "SLES 11, a menu without a prompt",
		Files: loadertest.Files(map[string]string{"etc/zipl.conf": "[defaultboot]\ndefaultmenu = menu\n\n" +
			"[SLES11_SP4]\n    image = /boot/image\n    target = /boot/zipl\n    ramdisk = /boot/initrd,0x2000000\n" +
			"    parameters = \"root=/dev/disk/by-path/ccw-0.0.0150-part1 TERM=dumb\"\n\n" +
			":menu\n    prompt = 0\n    target = /boot/zipl\n    timeout = 10\n    1 = SLES11_SP4\n    2 = none\n"},
			"boot/image", "boot/initrd"),
		Want: []string{
			"*SLES11_SP4||sda2:/boot/image|sda2:/boot/initrd||root=/dev/disk/by-path/ccw-0.0.0150-part1 TERM=dumb",
		},
		Timeout: "0s",
		Notes:   []string{`sda2:/etc/zipl.conf:10: menu: no section "none"`},
	},
	{
		Name: "a menu without a default begins with what it names first, and a backslash is one",
		Files: loadertest.Files(map[string]string{"etc/zipl.conf": "[defaultboot]\ndefaultmenu=m\n[a]\nimage=/k\nparameters=x\\\n[b]\nimage=/k\n" +
			":m\ntarget=/boot\n2=b\n1=a\n"}, "k"),
		Want: []string{`a||sda2:/k|||x\`, "*b||sda2:/k|||"}, Timeout: "0s",
	},
	{
		Name:  "a single default",
		Files: loadertest.Files(map[string]string{"boot/zipl.conf": "[defaultboot]\ndefault=b\n[a]\nimage=/k\n[b]\nimage=/k\n"}, "k"),
		Want:  []string{"a||sda2:/k|||", "*b||sda2:/k|||"},
	},
	{
		Name: "automatic default, and a parameter file that is missing",
		Files: loadertest.Files(map[string]string{
			"etc/zipl.conf": "[defaultboot]\ndefaultauto\n[a]\nimage=/k\nparmfile=/none\n[b]\nimage=/k\n"}, "k"),
		Want:    []string{"*b||sda2:/k|||"},
		Timeout: "0s",
		Notes:   []string{`sda2:/etc/zipl.conf:3: "a" is left out: parmfile: "/none": `},
	},
	{
		Name: "the default dumps",
		Files: loadertest.Files(map[string]string{
			"etc/zipl.conf": "[defaultboot]\ndefaultmenu=m\n[a]\nimage=/k\n[d]\ndumptofs=/dev/dasdb1\n:m\n1=a\n2=d\ndefault=2\n"}, "k"),
		Want:      []string{"a||sda2:/k|||"},
		Timeout:   "0s",
		Elsewhere: true,
		Notes:     []string{`sda2:/etc/zipl.conf:5: "d" is left out: it is a dumptofs section`},
	},
	{
		Name: "mistakes",
		Files: loadertest.Files(map[string]string{
			"etc/zipl.conf": "image=/k\n[a\nimage=/k\nparameters=\"x\n[b]\ntarget=/boot\n[]\nimage=/k\n"}, "k"),
		Want: []string{"a||sda2:/k|||x"},
		Notes: []string{
			`sda2:/etc/zipl.conf:1: "image" is in no section`,
			"sda2:/etc/zipl.conf:2: no closing bracket",
			"sda2:/etc/zipl.conf:4: a quote is not closed",
			`sda2:/etc/zipl.conf:7: a section without a name`,
			`sda2:/etc/zipl.conf:5: "b" is left out: kernel: `,
		},
	},
}

func TestParse(t *testing.T) { loadertest.Run(t, Parse, cases) }

func TestFiles(t *testing.T) { loadertest.CheckFiles(t, "zipl", Parse, files) }

// TestBounds: neither many entries nor long lines that all of them share take
// long.
func TestBounds(t *testing.T) {
	menu := &strings.Builder{}
	for i := range loadertest.Many {
		fmt.Fprintf(menu, "%d=s\n", i)
	}
	loadertest.CheckBounds(t, Parse, "zipl.conf", "[defaultboot]\ndefaultmenu=m\n[s]\nimage=/a\n:m\n"+menu.String(), loader.MaxEntries)
	loadertest.CheckBounds(t, Parse, "zipl.conf", strings.Repeat("[s]\nimage=/a\nparmfile=/long\n", loadertest.Many), 0)
}

// TestPaths: what is at the end of long links costs little.
func TestPaths(t *testing.T) {
	var sections strings.Builder
	for i := range loader.MaxEntries {
		fmt.Fprintf(&sections, "[s%d]\nimage=/link/a\nramdisk=/link/a\n", i)
	}
	loadertest.CheckPaths(t, Parse, map[string]string{"zipl.conf": sections.String()})
}

func FuzzParse(f *testing.F) { loadertest.Fuzz(f, Parse, files, cases) }
