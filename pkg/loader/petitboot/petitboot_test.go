// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package petitboot

import (
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/internal/testing/loadertest"
	"github.com/imaboot/imaboot/pkg/loader"
)

var cases = []loadertest.Case{
	{
		Name: "PlayStation 3",
		Files: loadertest.Files(map[string]string{"etc/kboot.conf": `# written by the installer
default=ubuntu
timeout=10
message=/boot/message.txt
initrd=/boot/initrd.img
root=/dev/ps3da1
ubuntu='/boot/vmlinux-2.6.25-2-powerpc64-smp initrd=/boot/initrd.img-2.6.25-2 quiet splash'
old="/boot/vmlinux.old root=LABEL=old video=ps3fb:mode:5 append=1"
plain=/boot/vmlinux.old
video=ps3fb:mode:131
`}, "boot/vmlinux-2.6.25-2-powerpc64-smp", "boot/initrd.img-2.6.25-2", "boot/vmlinux.old", "boot/initrd.img"),
		Want: []string{
			"*ubuntu||sda2:/boot/vmlinux-2.6.25-2-powerpc64-smp|sda2:/boot/initrd.img-2.6.25-2||root=/dev/ps3da1 video=ps3fb:mode:131 quiet splash",
			"old||sda2:/boot/vmlinux.old|sda2:/boot/initrd.img||root=LABEL=old video=ps3fb:mode:5 append=1",
			"plain||sda2:/boot/vmlinux.old|sda2:/boot/initrd.img||root=/dev/ps3da1 video=ps3fb:mode:131",
		},
		Timeout: "10s",
	},
	{
		Name: "other devices, /boot of its own, no default",
		Files: loadertest.Files(map[string]string{"kboot.conf": "a=sda1:/vmlinux initrd=LABEL=label-sdb1:/initrd\n" +
			"b='/dev/sda1:/vmlinux initrd=UUID=uuid-SDB1:/initrd'\nc=/boot/here root=/dev/sda3\n"}, "here"),
		Others: map[string]map[string]string{
			"sda1": loadertest.Files(map[string]string{}, "vmlinux"), "sdb1": loadertest.Files(map[string]string{}, "initrd"),
		},
		Want: []string{
			"a||sda1:/vmlinux|sdb1:/initrd||", "b||sda1:/vmlinux|sdb1:/initrd||", "c||sda2:/here|||root=/dev/sda3",
		},
	},
	{
		Name:  "a copy of the disk",
		Files: loadertest.Files(map[string]string{"kboot.conf": "a=LABEL=twin:/vmlinuz initrd=UUID=twin:/initrd\n"}),
		Others: map[string]map[string]string{
			"sda1": loadertest.Files(map[string]string{}, "vmlinuz", "initrd"), "sda3": loadertest.Files(map[string]string{}, "vmlinuz", "initrd"),
			"hda1": loadertest.Files(map[string]string{}, "vmlinuz", "initrd"),
		},
		Twins: true,
		Want:  []string{"a||sda1:/vmlinuz|sda1:/initrd||"},
		Notes: []string{"sda1, sda3, hda1 have the LABEL=twin: sda1 is taken", "sda1, sda3, hda1 have the UUID=twin: sda1 is taken"},
	},
	{
		Name:  "device trees",
		Files: loadertest.Files(map[string]string{"boot/kboot.conf": "dtb=/all.dtb\na=/k\nb='/k dtb=/own.dtb quiet'\n"}, "k", "all.dtb", "own.dtb"),
		Want:  []string{"a||sda2:/k||sda2:/all.dtb|", "b||sda2:/k||sda2:/own.dtb|quiet"},
	},
	{
		Name:  "the default's kernel is gone",
		Files: loadertest.Files(map[string]string{"kboot.conf": "default=a\na=/none\nb=/k\n"}, "k"),
		Want:  []string{"b||sda2:/k|||"},
		Notes: []string{`sda2:/kboot.conf:2: "a" is left out: kernel: `},
	},
	{
		Name:      "the default is a directory",
		Files:     map[string]string{"kboot.conf": "default=a\na=/k\n", "k/x": ""},
		Elsewhere: true,
		Notes:     []string{`sda2:/kboot.conf:2: "a" is left out: kernel: `},
	},
	{
		Name: "mistakes",
		Files: loadertest.Files(map[string]string{"kboot.conf": "bare\nempty=\ntimeout=soon\ndefault=none\nx=' '\n" +
			"a='/vmlinux\nb=sdz9:/vmlinux\nc=/vmlinux initrd=/none\nd=PARTUUID=1:/vmlinux\n"}, "vmlinux"),
		Want: []string{"a||sda2:/vmlinux|||"},
		Notes: []string{
			`sda2:/kboot.conf:3: timeout "soon"`,
			"sda2:/kboot.conf:6: a quote is not closed",
			`sda2:/kboot.conf:5: "x" is left out: no kernel`,
			`sda2:/kboot.conf:7: "b" is left out: kernel: "sdz9:/vmlinux": no such file system`,
			`sda2:/kboot.conf:8: "c" is left out: initrd: "/none": `,
			"sda2:/kboot.conf:9: ",
		},
	},
}

func TestParse(t *testing.T) { loadertest.Run(t, Parse, cases) }

func TestFiles(t *testing.T) { loadertest.CheckFiles(t, "kboot", Parse, files) }

// TestBounds: neither many entries nor long lines that all of them share take
// long.
func TestBounds(t *testing.T) {
	loadertest.CheckBounds(t, Parse, "kboot.conf", strings.Repeat("a=/a\n", loadertest.Many), loader.MaxEntries)
	loadertest.CheckBounds(t, Parse, "kboot.conf", "root="+loadertest.Long+"\n"+strings.Repeat("a=/a\n", loadertest.Many), 0)
}

// TestPaths: what is at the end of long links costs little.
func TestPaths(t *testing.T) {
	loadertest.CheckPaths(t, Parse, map[string]string{"kboot.conf": strings.Repeat("a=/link/a initrd=/link/a dtb=/link/a\n", loadertest.Many)})
}

func FuzzParse(f *testing.F) { loadertest.Fuzz(f, Parse, files, cases) }
