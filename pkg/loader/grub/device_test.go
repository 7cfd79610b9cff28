// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
)

func TestPlaces(t *testing.T) {
	v := open(t, "sda1", "", "", empty("boot/other"))
	if _, err := Parse(v, entry.Volumes{v}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	// The second is used if the first yields nothing.
	v = open(t, "sda1", "", "", map[string]string{
		"boot/grub/grub.cfg": "echo\n", "grub2/grub.cfg": "menuentry A { linux /k }\n", "k": ""})
	c, err := Parse(v, entry.Volumes{v})
	if err != nil || c.Source != "sda1:/grub2/grub.cfg" || len(c.Entries) != 1 {
		t.Error(c, err)
	}
	v = open(t, "sda1", "", "", map[string]string{"grub/grub.cfg": strings.Repeat("#", entry.MaxConfig+1)})
	if _, err = Parse(v, entry.Volumes{v}); !errors.Is(err, entry.ErrConfig) || errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestSubvolumes(t *testing.T) {
	const script = "search --no-floppy --fs-uuid --set=root b7f5\nmenuentry A { linux %[1]s/boot/vmlinuz rootflags=subvol=%[1]s; }\n"
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"Ubuntu": {map[string]string{"@/boot/grub/grub.cfg": fmt.Sprintf(script, "/@"), "@/boot/vmlinuz": "", "@home/a": ""}, "/@/boot/grub/grub.cfg"},
		"Debian": {map[string]string{"@rootfs/boot/grub/grub.cfg": fmt.Sprintf(script, "/@rootfs"), "@rootfs/boot/vmlinuz": ""}, "/@rootfs/boot/grub/grub.cfg"},
		"SUSE":   {map[string]string{"@/boot/grub2/grub.cfg": fmt.Sprintf(script, "/@"), "@/boot/vmlinuz": ""}, "/@/boot/grub2/grub.cfg"},
		"Fedora": {map[string]string{"root/boot/grub2/grub.cfg": "load_env\nblscfg\n", "root/boot/grub2/grubenv": envBlock("blsdir=/root/boot/loader/entries"),
			"root/boot/loader/entries/m-6.1.conf": "title T\nlinux /root/boot/vmlinuz-6.1\n", "root/boot/vmlinuz-6.1": ""}, "/root/boot/grub2/grub.cfg"},
		"any grub2":    {map[string]string{"sys/boot/grub2/grub.cfg": fmt.Sprintf(script, "/sys"), "sys/boot/vmlinuz": ""}, "/sys/boot/grub2/grub.cfg"},
		"root":         {map[string]string{"grub.cfg": fmt.Sprintf(script, ""), "boot/vmlinuz": ""}, "/grub.cfg"},
		"root is last": {map[string]string{"grub.cfg": "menuentry X { linux /boot/vmlinuz; }", "sys/boot/grub/grub.cfg": fmt.Sprintf(script, "/sys"), "sys/boot/vmlinuz": "", "boot/vmlinuz": ""}, "/sys/boot/grub/grub.cfg"},
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

// TestBlockList: SUSE's environment block is in no file of btrfs.
func TestBlockList(t *testing.T) {
	const at = "sda3:/boot/grub2/grub.cfg:"
	const note = ": unusable loader configuration: "
	for name, test := range map[string]struct {
		env, script string
		def         int
		want        []string
	}{
		"SUSE": {"env_block=512+1", `load_env
			if [ "${env_block}" ] ; then
			  set env_block="(${root})${env_block}"
			  export env_block
			  load_env -f "${env_block}"
			fi
			if [ "${next_entry}" ]; then set default="${next_entry}"; fi`, 1, nil},
		"several":      {"", "load_env -f 512+1,513+1; set default=$next_entry", 1, nil},
		"from nothing": {"", "load_env -f +1", 0, []string{at + "1: +1" + note + "no environment block"}},
		"status":       {"", "if load_env -f (sda3)0+1; then set default=1; fi", 0, []string{at + "1: (sda3)0+1" + note + "no environment block"}},
		"end":          {"", "load_env -f 514+1", 0, []string{at + "1" + note + "sda3: EOF"}},
		"too long":     {"", "load_env -f 0+1,1+99999", 0, []string{at + "1" + note + "more than 1048576 bytes"}},
		"often": {"", "while true; do load_env -f 0+2000; done", entry.None, append(
			slices.Repeat([]string{at + "1" + note + "sda3: EOF"}, 4),
			at+"1: more than 4194304 bytes are read or made; the rest is left out")},
		"far":        {"", "load_env -f 999999999999999+1", 0, []string{at + `1` + note + `strconv.ParseInt: parsing "999999999999999": value out of range`}},
		"other disk": {"", "load_env -f '(hd0)512+1'", 0, []string{at + "1" + note + "no such device: (hd0): file does not exist"}},
		"no blocks":  {"", "load_env -f '(sda4)512+1'", 0, []string{at + "1" + note + "no such device: (sda4): file does not exist"}},
		"file":       {"next_entry=1", "load_env -f (sda3)/boot/grub2/grubenv; set default=$next_entry", 1, nil},
		"no file":    {"", "load_env -f x; load_env -f 1+", 0, []string{at + "1" + note + "x is no file", at + "1" + note + "1+ is no file"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, "sda3", "", "", map[string]string{
				"boot/grub2/grub.cfg": test.script + "\nmenuentry A { linux /k; }\nmenuentry B { linux /k; }\n",
				"boot/grub2/grubenv":  envBlock(test.env), "k": "",
			})
			device := filepath.Join(t.TempDir(), "sda3")
			block := envBlock("next_entry=1")
			if err := os.WriteFile(device, append(make([]byte, 512*512), block...), 0o600); err != nil {
				t.Fatal(err)
			}
			var err error
			if v.Blocks, err = os.Open(device); err != nil {
				t.Fatal(err)
			}
			c, err := Parse(v, entry.Volumes{v, open(t, "sda4", "", "", nil)})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, c.Notes); d != "" {
				t.Error(d)
			}
			if c.Default != test.def {
				t.Error(c.Default)
			}
		})
	}
}
