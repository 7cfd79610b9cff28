// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
)

func TestSubvolumes(t *testing.T) {
	const script = "search --no-floppy --fs-uuid --set=root b7f5\nmenuentry A { linux %[1]s/boot/vmlinuz rootflags=subvol=%[1]s; }\n"
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"Ubuntu":       {map[string]string{"@/boot/grub/grub.cfg": fmt.Sprintf(script, "/@"), "@/boot/vmlinuz": "", "@home/a": ""}, "/@/boot/grub/grub.cfg"},
		"Debian":       {map[string]string{"@rootfs/boot/grub/grub.cfg": fmt.Sprintf(script, "/@rootfs"), "@rootfs/boot/vmlinuz": ""}, "/@rootfs/boot/grub/grub.cfg"},
		"SUSE":         {map[string]string{"@/boot/grub2/grub.cfg": fmt.Sprintf(script, "/@"), "@/boot/vmlinuz": ""}, "/@/boot/grub2/grub.cfg"},
		"any":          {map[string]string{"sys/boot/grub/grub.cfg": fmt.Sprintf(script, "/sys"), "sys/boot/vmlinuz": "", "a": "", "b/boot/x": ""}, "/sys/boot/grub/grub.cfg"},
		"@ before any": {map[string]string{"@/boot/grub/grub.cfg": fmt.Sprintf(script, "/@"), "@/boot/vmlinuz": "", "1/boot/grub/grub.cfg": fmt.Sprintf(script, "/@")}, "/@/boot/grub/grub.cfg"},
		"boot before":  {map[string]string{"@/boot/grub/grub.cfg": fmt.Sprintf(script, "/@"), "@/boot/vmlinuz": "", "grub/grub.cfg": fmt.Sprintf(script, "/@")}, "/grub/grub.cfg"},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, "sda2", "B7F5", "", test.files)
			c, err := Parse(v, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.Source != "sda2:"+test.want || len(c.Entries) != 1 || c.Default != 0 || c.Notes != nil {
				t.Error(c.Source, lines(c), c.Notes)
			}
		})
	}
	t.Run("bounded, and each once", func(t *testing.T) {
		files := map[string]string{"@/boot/grub/grub.cfg": "source /count\n", "count": "fi\n"}
		for i := range 300 {
			files[fmt.Sprintf("d%03d/boot/grub/grub.cfg", i)] = "true\n"
		}
		v := open(t, "sda2", "", "", files)
		if n := len(find(v, "*/boot/grub/grub.cfg")); n == 0 || n > 100 {
			t.Error(n)
		}
		c, err := Parse(v, nil)
		if err != nil || len(c.Entries) > 0 || len(c.Notes) != 1 {
			t.Error(c, err)
		}
	})
}

// TestPartition resolves GRUB's own names of partitions on the disk that the
// configuration is on.
func TestPartition(t *testing.T) {
	const at = "menuentry A { linux /k; }"
	for _, test := range []struct{ script, on, others, want string }{
		{"set root='(hd0,msdos3)'\n" + at, "sda1", "sdb3 sda3", "sda3"},
		{"set root='hd0,gpt3'\n" + at, "nvme0n1p1", "nvme1n1p3 nvme0n1p3", "nvme0n1p3"},
		{"set root=(hd0,3)\n" + at, "vda2", "vda3", "vda3"},
		{"root=hd1,3\n" + at, "dasda1", "dasdb3 dasda3", "dasda3"},
		{"set root=hd0,apple3\n" + at, "mmcblk0p1", "mmcblk0p3 mmcblk0boot0", "mmcblk0p3"},
		{`set root='ieee1275//pci@1\,2/disk@0,msdos3'` + "\n" + at, "sda1", "sda3", "sda3"},
		{"set root='hd0,msdos3'\nsearch --label --set=root TWO\n" + at, "sda1", "sda3 sda2", "sda2"},
		{"set root='hd0,msdos3'\nsearch --label --set=root NONE\n" + at, "sda1", "sda3 sda2", "sda3"},
		{"menuentry A { linux (hd0,gpt3)/k; }", "sda1", "sda3", "sda3"},
		{"menuentry A { set root='hd0,msdos2'; linux (hd0,3)/k; }", "sda1", "sda2 sda3", "sda3"},
		{"boot='hd0,msdos3'\nblscfg", "sda1", "sda3", "sda3"},
		{"if [ -e (hd0,3)/on-sda3 ]; then set root=hd0,2; fi\n" + at, "sda1", "sda2 sda3", "sda2"},
		// What is not there is another name of the current one.
		{"set root=hd0,msdos4\n" + at, "sda1", "sda3", "sda1"},
		{"set root=hd0,msdos3; set root=hd0,msdos4\n" + at, "sda1", "sda3", "sda3"},
		{"set root=hd0,msdos3\n" + at, "sda1", "sdb3", "sda1"},
		{"set root=hd0,msdos3\n" + at, "dm-0", "dm-3", "dm-0"},
		{"set root=hd0\n" + at, "sda1", "sda sda3", "sda1"},
		{"set root=hd0,0\n" + at, "sda1", "sda sda3", "sda1"},
		{"set root=hd0,msdos3,bsd2\n" + at, "sda1", "sda2 sda3", "sda1"},
		{"set root=hd0,3x; set root=hd0,99999999999; set root=,3; set root=3\n" + at, "sda1", "sda3", "sda1"},
		{"menuentry A { linux (hd0,gpt4)/k; }", "sda1", "sda3", "sda1"},
	} {
		volume := func(device string) *entry.Volume {
			label := map[string]string{"sda2": "TWO"}[device]
			return open(t, device, "", label, map[string]string{
				"k": "", "grub/grub.cfg": test.script + "\n", "on-" + device: "", "loader/entries/a.conf": "linux /k\n"})
		}
		v := volume(test.on)
		all := entry.Volumes{v}
		for device := range strings.FieldsSeq(test.others) {
			all = append(all, volume(device))
		}
		c, err := Parse(v, all)
		if err != nil || len(c.Entries) != 1 {
			t.Error(test.script, c, err)
			continue
		}
		if got := c.Entries[0].Kernel.Volume.Device; got != test.want {
			t.Errorf("%s: %s, want %s", test.script, got, test.want)
		}
	}
}

// TestBlockList: SUSE's environment block that is on no file system is noted.
func TestBlockList(t *testing.T) {
	const note = "(sda3)512+1: next_entry in a block list is not read"
	for name, test := range map[string]struct {
		env, script string
		want        []string
	}{
		"SUSE": {"env_block=512+1", `load_env
			if [ "${env_block}" ] ; then
			  set env_block="(${root})${env_block}"
			  export env_block
			  load_env -f "${env_block}"
			fi`, []string{"sda3:/boot/grub2/grub.cfg:5: " + note}},
		"status":     {"", "if load_env -f (sda3)512+1; then set default=1; fi", []string{"sda3:/boot/grub2/grub.cfg:1: " + note}},
		"several":    {"", "load_env -f 0+1,+2,8+1", []string{"sda3:/boot/grub2/grub.cfg:1: 0+1,+2,8+1: next_entry in a block list is not read"}},
		"other disk": {"", "load_env -f '(hd0)1+1'", []string{"sda3:/boot/grub2/grub.cfg:1: (hd0)1+1: next_entry in a block list is not read"}},
		"file":       {"next_entry=1", "load_env -f (sda3)/boot/grub2/grubenv; set default=$next_entry", nil},
		"no file":    {"", "load_env -f x; load_env -f 1+; load_env -f ''", nil},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, "sda3", "", "", map[string]string{
				"boot/grub2/grub.cfg": test.script + "\nmenuentry A { linux /k; }\nmenuentry B { linux /k; }\n",
				"boot/grub2/grubenv":  envBlock(test.env), "k": "",
			})
			c, err := Parse(v, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, c.Notes); d != "" {
				t.Error(d)
			}
			if want := map[bool]int{true: 1}[name == "file"]; c.Default != want {
				t.Error(c.Default)
			}
		})
	}
}
