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

var nativeCases = []loadertest.Case{
	{
		Name: "two entries",
		Files: loadertest.Files(map[string]string{"boot/petitboot.conf": "default B 2\ndev_description A disk\n\nname A\nimage /boot/vmlinux\ninitrd\t/boot/initrd\n" +
			"args ro  quiet \n\nname B 2\ndescription the second\nimage \t vmlinux\nargs ro\nargs debug\ndtb /d.dtb\n"}, "boot/vmlinux", "boot/initrd", "d.dtb"),
		Want: []string{"A||sda2:/boot/vmlinux|sda2:/boot/initrd||ro  quiet", "*B 2||sda2:/boot/vmlinux||sda2:/d.dtb|ro debug"},
	},
	{
		Name:   "other devices, /boot of its own, no default",
		Files:  loadertest.Files(map[string]string{"petitboot.conf": "name a\nimage sda1:/vmlinux\ninitrd UUID=uuid-sda1:/initrd\nname b\nimage /boot/here\n"}, "here"),
		Others: map[string]map[string]string{"sda1": loadertest.Files(map[string]string{}, "vmlinux", "initrd")},
		Want:   []string{"a||sda1:/vmlinux|sda1:/initrd||", "b||sda2:/here|||"},
	},
	{
		Name:      "the default is a directory",
		Files:     map[string]string{"petitboot.conf": "default a\nname a\nimage /k\n", "k/x": ""},
		Elsewhere: true,
		Notes:     []string{`sda2:/petitboot.conf:2: "a" is left out: kernel: `},
	},
	{
		Name: "mistakes",
		Files: loadertest.Files(map[string]string{"petitboot.conf": "image /k\ndefault none\ndefault a\nname\nimage /k\nimage /none\nname b\nargs x\nname c\nimage /none\n" +
			"nonsense\n"}, "k"),
		Want: []string{"||sda2:/k|||"},
		Notes: []string{
			"sda2:/petitboot.conf:3: default is there twice",
			"sda2:/petitboot.conf:6: image is there twice",
			`sda2:/petitboot.conf:7: "b" is left out: no image`,
			`sda2:/petitboot.conf:9: "c" is left out: kernel: `,
		},
	},
}

func TestParseNative(t *testing.T) { loadertest.Run(t, ParseNative, nativeCases) }

func TestNativeFiles(t *testing.T) { loadertest.CheckFiles(t, "petitboot", ParseNative, nativeFiles) }

func TestNativeBounds(t *testing.T) {
	loadertest.CheckBounds(t, ParseNative, "petitboot.conf", strings.Repeat("name a\nimage /a\n", loadertest.Many), loader.MaxEntries)
	loadertest.CheckBounds(t, ParseNative, "petitboot.conf", "name a\nimage /a\n"+strings.Repeat("args "+strings.Repeat("x", 1000)+"\n", 1000), 0)
}

func FuzzParseNative(f *testing.F) { loadertest.Fuzz(f, ParseNative, nativeFiles, nativeCases) }
