// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import "testing"

var kbootTests = []parseTest{
	{
		name: "PlayStation 3",
		files: files(map[string]string{"etc/kboot.conf": `# written by the installer
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
		want: []string{
			"*ubuntu||sda2:/boot/vmlinux-2.6.25-2-powerpc64-smp|sda2:/boot/initrd.img-2.6.25-2||root=/dev/ps3da1 video=ps3fb:mode:131 quiet splash",
			"old||sda2:/boot/vmlinux.old|sda2:/boot/initrd.img||root=LABEL=old video=ps3fb:mode:5 append=1",
			"plain||sda2:/boot/vmlinux.old|sda2:/boot/initrd.img||root=/dev/ps3da1 video=ps3fb:mode:131",
		},
		timeout: "10s",
	},
	{
		name: "other devices, /boot of its own, no default",
		files: files(map[string]string{"kboot.conf": "a=sda1:/vmlinux initrd=LABEL=label-sdb1:/initrd\n" +
			"b='/dev/sda1:/vmlinux initrd=UUID=uuid-SDB1:/initrd'\nc=/boot/here root=/dev/sda3\n"}, "here"),
		others: map[string]map[string]string{
			"sda1": files(map[string]string{}, "vmlinux"), "sdb1": files(map[string]string{}, "initrd"),
		},
		want: []string{
			"a||sda1:/vmlinux|sdb1:/initrd||", "b||sda1:/vmlinux|sdb1:/initrd||", "c||sda2:/here|||root=/dev/sda3",
		},
	},
	{
		name:  "device trees",
		files: files(map[string]string{"boot/kboot.conf": "dtb=/all.dtb\na=/k\nb='/k dtb=/own.dtb quiet'\n"}, "k", "all.dtb", "own.dtb"),
		want:  []string{"a||sda2:/k||sda2:/all.dtb|", "b||sda2:/k||sda2:/own.dtb|quiet"},
	},
	{
		name:  "the default's kernel is gone",
		files: files(map[string]string{"kboot.conf": "default=a\na=/none\nb=/k\n"}, "k"),
		want:  []string{"b||sda2:/k|||"},
		notes: []string{`sda2:/kboot.conf:2: "a" is left out: kernel: `},
	},
	{
		name:      "the default is a directory",
		files:     map[string]string{"kboot.conf": "default=a\na=/k\n", "k/x": ""},
		elsewhere: true,
		notes:     []string{`sda2:/kboot.conf:2: "a" is left out: kernel: `},
	},
	{
		name: "mistakes",
		files: files(map[string]string{"kboot.conf": "bare\nempty=\ntimeout=soon\ndefault=none\nx=' '\n" +
			"a='/vmlinux\nb=sdz9:/vmlinux\nc=/vmlinux initrd=/none\nd=PARTUUID=1:/vmlinux\n"}, "vmlinux"),
		want: []string{"a||sda2:/vmlinux|||"},
		notes: []string{
			`sda2:/kboot.conf:3: timeout "soon"`,
			"sda2:/kboot.conf:6: a quote is not closed",
			`sda2:/kboot.conf:5: "x" is left out: no kernel`,
			`sda2:/kboot.conf:7: "b" is left out: kernel: "sdz9:/vmlinux": no such file system`,
			`sda2:/kboot.conf:8: "c" is left out: initrd: "/none": `,
			"sda2:/kboot.conf:9: ",
		},
	},
}

func TestKboot(t *testing.T) { run(t, Kboot, kbootTests) }

func FuzzKboot(f *testing.F) { fuzz(f, Kboot, kbootFiles, kbootTests) }
