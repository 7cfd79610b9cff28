// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/loader/internal/grubenv"
)

func open(t testing.TB, device, uuid, label string, files map[string]string) *entry.Volume {
	t.Helper()
	v, err := entry.OpenVolume(fileroot.New(t, files), device)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	v.UUID, v.Label = uuid, label
	return v
}

// lines shows entries: a star for the default, then ID|title|kernel|initrds|
// device tree|command line.
func lines(c *entry.Config) []string {
	var out []string
	for i, e := range c.Entries {
		mark := ""
		if c.Default == i {
			mark = "*"
		}
		var initrds []string
		for _, f := range e.Initrds {
			initrds = append(initrds, f.String())
		}
		tree := ""
		if e.DeviceTree != nil {
			tree = e.DeviceTree.String()
		}
		out = append(out, mark+strings.Join([]string{
			e.ID, e.Title, e.Kernel.String(), strings.Join(initrds, ","), tree, e.Cmdline}, "|"))
	}
	return out
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func envBlock(lines ...string) string {
	s := grubenv.Signature + strings.Join(append(lines, ""), "\n")
	return s + strings.Repeat("#", max(0, 1024-len(s)))
}

// empty are files whose content does not matter.
func empty(names ...string) map[string]string {
	files := map[string]string{}
	for _, name := range names {
		files[name] = "x"
	}
	return files
}

// seconds is a timeout; -2 stands for none.
func seconds(c *entry.Config) int {
	if c.Timeout == nil {
		return -2
	}
	return int(*c.Timeout / time.Second)
}

func debian(t *testing.T, def string, env ...string) *entry.Volume {
	files := empty("boot/vmlinux-6.1.0-30-powerpc64le", "boot/initrd.img-6.1.0-30-powerpc64le",
		"boot/vmlinux-6.1.0-28-powerpc64le", "boot/initrd.img-6.1.0-28-powerpc64le")
	files["boot/grub/grub.cfg"] = strings.ReplaceAll(read(t, "debian.cfg"), "@DEFAULT@", def)
	files["boot/grub/grubenv"] = envBlock(env...)
	return open(t, "sda2", "1b2c-dead", "", files)
}

func TestDebian(t *testing.T) {
	v := debian(t, "0")
	c, err := Parse(v, entry.Volumes{v})
	if err != nil {
		t.Fatal(err)
	}
	const (
		k30 = "sda2:/boot/vmlinux-6.1.0-30-powerpc64le|sda2:/boot/initrd.img-6.1.0-30-powerpc64le||root=UUID=1b2c-dead ro "
		k28 = "sda2:/boot/vmlinux-6.1.0-28-powerpc64le|sda2:/boot/initrd.img-6.1.0-28-powerpc64le||root=UUID=1b2c-dead ro "
		sub = "|Advanced options for Debian GNU/Linux > Debian GNU/Linux, with Linux 6.1.0-"
	)
	want := []string{
		"*gnulinux-simple-1b2c|Debian GNU/Linux|" + k30 + "quiet",
		"gnulinux-6.1.0-30-powerpc64le-advanced-1b2c" + sub + "30-powerpc64le|" + k30 + "quiet",
		"gnulinux-6.1.0-30-powerpc64le-recovery-1b2c" + sub + "30-powerpc64le (recovery mode)|" + k30 + "single",
		"gnulinux-6.1.0-28-powerpc64le-advanced-1b2c" + sub + "28-powerpc64le|" + k28 + "quiet",
	}
	if d := cmp.Diff(want, lines(c)); d != "" {
		t.Error(d)
	}
	if c.Kind != "grub" || c.Source != "sda2:/boot/grub/grub.cfg" || seconds(c) != 5 || c.Notes != nil {
		t.Error(c.Kind, c.Source, seconds(c), c.Notes)
	}
}

func TestDebianDefault(t *testing.T) {
	const saved, advanced = "${saved_entry}", "gnulinux-advanced-1b2c"
	for name, test := range map[string]struct {
		def  string
		env  []string
		want int
	}{
		"number":                   {def: "0", want: 0},
		"submenu":                  {def: "1", want: 1},
		"number in submenu":        {def: "1>2", want: 3},
		"no such number":           {def: "7", want: 0},
		"no such in submenu":       {def: "1>7", want: 1},
		"ids":                      {def: advanced + ">gnulinux-6.1.0-28-powerpc64le-advanced-1b2c", want: 3},
		"titles":                   {def: "Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 6.1.0-28-powerpc64le", want: 3},
		"id and number":            {def: advanced + ">1", want: 2},
		"id of a submenu's":        {def: "gnulinux-6.1.0-28-powerpc64le-advanced-1b2c", want: 0},
		"title":                    {def: "Debian GNU/Linux", want: 0},
		"saved, nothing is":        {def: saved, want: 0},
		"saved":                    {def: saved, env: []string{"saved_entry=" + advanced + ">2"}, want: 3},
		"saved, but not asked":     {def: "0", env: []string{"saved_entry=" + advanced + ">2"}, want: 0},
		"next":                     {def: "0", env: []string{"next_entry=1>1"}, want: 2},
		"next is before saved":     {def: saved, env: []string{"saved_entry=0", "next_entry=1>1"}, want: 2},
		"saved before is too late": {def: saved, env: []string{"saved_entry=0", "prev_saved_entry=1>1"}, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			v := debian(t, test.def, test.env...)
			c, err := Parse(v, entry.Volumes{v})
			if err != nil || c.Default != test.want {
				t.Errorf("%d, want %d: %v", c.Default, test.want, err)
			}
		})
	}
}

func TestUbuntu(t *testing.T) {
	const cmdline = "||root=/dev/mapper/ubuntu--vg-ubuntu--lv ro quiet splash"
	for name, test := range map[string]struct {
		env     []string
		handoff string
		timeout int
		want    int
	}{
		"first boot":  {handoff: " vt.handoff=7", timeout: 0},
		"failed":      {env: []string{"recordfail=1"}, timeout: 30},
		"initrd less": {env: []string{"initrdfail=1", "prev_entry=1>1"}, handoff: " vt.handoff=7", want: 2},
	} {
		t.Run(name, func(t *testing.T) {
			boot := empty("vmlinux-5.15.0-91-generic", "initrd.img-5.15.0-91-generic",
				"vmlinux-5.15.0-88-generic", "initrd.img-5.15.0-88-generic")
			boot["grub/grub.cfg"] = read(t, "ubuntu.cfg")
			boot["grub/grubenv"] = envBlock(test.env...)
			v := open(t, "vda2", "B00T-0001", "", boot)
			all := entry.Volumes{open(t, "dm-0", "7f00", "", map[string]string{"boot/keep": ""}), v}
			c, err := Parse(v, all)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{
				"gnulinux-simple-7f00|Ubuntu|vda2:/vmlinux-5.15.0-91-generic|vda2:/initrd.img-5.15.0-91-generic" + cmdline + test.handoff,
				"gnulinux-5.15.0-91-generic-advanced-7f00|Advanced options for Ubuntu > Ubuntu, with Linux 5.15.0-91-generic|vda2:/vmlinux-5.15.0-91-generic|vda2:/initrd.img-5.15.0-91-generic" + cmdline + test.handoff,
				"gnulinux-5.15.0-88-generic-advanced-7f00|Advanced options for Ubuntu > Ubuntu, with Linux 5.15.0-88-generic|vda2:/vmlinux-5.15.0-88-generic|vda2:/initrd.img-5.15.0-88-generic" + cmdline,
			}
			want[test.want] = "*" + want[test.want]
			if d := cmp.Diff(want, lines(c)); d != "" {
				t.Error(d)
			}
			if seconds(c) != test.timeout {
				t.Error(seconds(c))
			}
			notes := []string{
				"vda2:/grub/grub.cfg:116: Memory test (memtest86+x64.bin, serial console) is left out: unusable loader configuration: vda2:/memtest86+x64.bin: no such file or directory",
				"vda2:/grub/grub.cfg:120: UEFI Firmware Settings is left out: unusable loader configuration: no linux command",
				"vda2:/grub/grub.cfg:123: Restart is left out: unusable loader configuration: no linux command",
			}
			if d := cmp.Diff(notes, c.Notes); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRHEL(t *testing.T) {
	const machine = "0123456789abcdef0123456789abcdef-"
	conf := func(version string) string {
		return "title Red Hat Enterprise Linux (" + version + ") 8.6 (Ootpa)\nversion " + version +
			"\nlinux /vmlinuz-" + version + "\ninitrd /initramfs-" + version + ".img $tuned_initrd\noptions $kernelopts $tuned_params\n" +
			"id rhel-" + version + "\ngrub_users $grub_users\ngrub_arg --unrestricted\ngrub_class kernel\n"
	}
	const v372, v425 = "4.18.0-372.el8.ppc64le", "4.18.0-425.el8.ppc64le"
	for name, test := range map[string]struct {
		env     []string
		cmdline string
		want    int
		timeout int
	}{
		"nothing is saved": {cmdline: "root=/dev/mapper/rhel-root ro crashkernel=auto", timeout: 5},
		"saved": {
			env:     []string{"saved_entry=" + machine + v372, "kernelopts=root=UUID=1 ro rd.lvm.lv=rhel/root "},
			cmdline: "root=UUID=1 ro rd.lvm.lv=rhel/root", want: 1, timeout: 5,
		},
		"saved title": {
			env:     []string{"saved_entry=Red Hat Enterprise Linux (" + v372 + ") 8.6 (Ootpa)", "kernelopts=ro"},
			cmdline: "ro", want: 1, timeout: 5,
		},
		"saved number": {env: []string{"saved_entry=1", "kernelopts=ro"}, cmdline: "ro", want: 1, timeout: 5},
		"saved is gone": {
			env:     []string{"saved_entry=" + machine + "4.18.0-1.el8.ppc64le", "kernelopts=ro"},
			cmdline: "ro", want: 0, timeout: 5,
		},
		"saved is left out": {
			env:     []string{"saved_entry=" + machine + "4.18.0-0.el8.ppc64le", "kernelopts=ro"},
			cmdline: "ro", want: -1, timeout: 5,
		},
		"next": {
			env:     []string{"saved_entry=" + machine + v425, "next_entry=" + machine + v372, "kernelopts=ro"},
			cmdline: "ro", want: 1, timeout: 5,
		},
		"boots failed": {env: []string{"boot_counter=0", "boot_success=0", "kernelopts=ro"}, cmdline: "ro", want: 1, timeout: 5},
		"hidden": {
			env:     []string{"boot_success=1", "menu_auto_hide=1", "kernelopts=ro"},
			cmdline: "ro", timeout: 1,
		},
		"tuned": {env: []string{"kernelopts=ro", "tuned_params=skew_tick=1"}, cmdline: "ro skew_tick=1", timeout: 5},
	} {
		t.Run(name, func(t *testing.T) {
			boot := empty("vmlinuz-"+v372, "vmlinuz-"+v425, "initramfs-"+v372+".img", "initramfs-"+v425+".img")
			boot["grub2/grub.cfg"] = read(t, "rhel.cfg")
			boot["grub2/grubenv"] = envBlock(test.env...)
			for _, version := range []string{v372, v425, "4.18.0-0.el8.ppc64le"} {
				boot["loader/entries/"+machine+version+".conf"] = conf(version)
			}
			v := open(t, "sda2", "8000-b007", "", boot)
			c, err := Parse(v, entry.Volumes{v})
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for i, version := range []string{v425, v372} {
				mark := ""
				if i == test.want {
					mark = "*"
				}
				want = append(want, mark+machine+version+"|Red Hat Enterprise Linux ("+version+") 8.6 (Ootpa)|sda2:/vmlinuz-"+version+
					"|sda2:/initramfs-"+version+".img||"+test.cmdline)
			}
			if d := cmp.Diff(want, lines(c)); d != "" {
				t.Error(d)
			}
			if left := strings.Contains(strings.Join(c.Notes, "\n"), "the default is left out"); left != (test.want < 0) {
				t.Error(c.Notes)
			}
			if len(c.Notes) == 0 || !strings.Contains(strings.Join(c.Notes, "\n"), "vmlinuz-4.18.0-0.el8") || seconds(c) != test.timeout {
				t.Error(c.Notes, seconds(c))
			}
		})
	}
}

func TestSLES(t *testing.T) {
	files := empty("boot/vmlinux-5.14.21-150500.53-default", "boot/initrd-5.14.21-150500.53-default")
	files["boot/grub2/grub.cfg"] = read(t, "sles.cfg")
	files["boot/grub2/grubenv"] = envBlock("saved_entry=SLES 15-SP5", "env_block=/env",
		"next_entry=Advanced options for SLES 15-SP5>SLES 15-SP5, with Linux 5.14.21-150500.53-default (recovery mode)")
	files[".snapshots/grub-snapshot.cfg"] = `if [ x"$snapshot_found" != xtrue ]; then
submenu "Start bootloader from a read-only snapshot" {
menuentry "SLES15-SP5 (5.14.21,2024-02-01T10:00,post,zypp(zypper))" "rootflags=subvol=@/.snapshots/2/snapshot" "2" {
  set extra_cmdline="$2"
  set snapshot_num="$3"
  export extra_cmdline
  export snapshot_num
  set snapshot_found=true
  export snapshot_found
  configfile "/.snapshots/2/snapshot/boot/grub2/grub.cfg"
}
if [ x$snapshot_found != xtrue ]; then
  menuentry "Not Found" { true; }
fi
}
fi
`
	files[".snapshots/2/snapshot/boot/grub2/grub.cfg"] = files["boot/grub2/grub.cfg"]
	v := open(t, "sda3", "5005-btrf", "", files)
	c, err := Parse(v, entry.Volumes{v})
	if err != nil {
		t.Fatal(err)
	}
	const (
		simple   = "gnulinux-simple-5005|"
		normal   = "gnulinux-5.14.21-150500.53-default-advanced-5005|"
		recovery = "gnulinux-5.14.21-150500.53-default-recovery-5005|"
		advanced = "Advanced options for SLES 15-SP5 > SLES 15-SP5, with Linux 5.14.21-150500.53-default"
		snapshot = "Start bootloader from a read-only snapshot > SLES15-SP5 (5.14.21,2024-02-01T10:00,post,zypp(zypper)) > "
		kernel   = "|sda3:/boot/vmlinux-5.14.21-150500.53-default|sda3:/boot/initrd-5.14.21-150500.53-default||root=UUID=5005-btrf "
		flags    = "rootflags=subvol=@/.snapshots/2/snapshot "
		quiet    = "splash=silent mitigations=auto quiet"
	)
	want := []string{
		simple + "SLES 15-SP5" + kernel + quiet,
		normal + advanced + kernel + quiet,
		"*" + recovery + advanced + " (recovery mode)" + kernel + "single",
		simple + snapshot + "SLES 15-SP5" + kernel + flags + quiet,
		normal + snapshot + advanced + kernel + flags + quiet,
		recovery + snapshot + advanced + " (recovery mode)" + kernel + flags + "single",
	}
	if d := cmp.Diff(want, lines(c)); d != "" {
		t.Error(d)
	}
	if seconds(c) != 8 {
		t.Error(seconds(c))
	}
}

// TestStub follows what is on an EFI system partition or in a PReP image.
func TestStub(t *testing.T) {
	boot := map[string]string{
		"grub2/grub.cfg": "set timeout=3\nmenuentry A --id a {\n search -u b007 -s\n linux /vmlinuz ro\n}\n",
		"vmlinuz":        "",
	}
	for name, stub := range map[string]string{
		"Debian":     "search.fs_uuid B007 root hd0,gpt2\nset prefix=($root)'/grub2'\nconfigfile $prefix/grub.cfg\n",
		"RHEL":       "search --no-floppy --root-dev-only --fs-uuid --set=dev b007\nset prefix=($dev)/grub2\nexport $prefix\nconfigfile $prefix/grub.cfg\n",
		"label":      "search --label --set=root BOOT\nset prefix=($root)/grub2\nnormal\n",
		"file":       "search --set -f /grub2/grub.cfg\nset prefix=($root)/grub2\nsource $prefix/grub.cfg\n",
		"short":      "search -l -s dev BOOT\nconfigfile ($dev)/grub2/grub.cfg\n",
		"two words":  "search --set dev --label BOOT\nnormal ($dev)/grub2/grub.cfg\n",
		"function":   "function go {\n if [ -e ($1)/grub2/grub.cfg ]; then configfile ($1)/grub2/grub.cfg; fi\n}\nfor x in sdz sda2; do go $x; done\n",
		"other case": "search.fs_label BOOT root\nconfigfile /grub2/grub.cfg\nmenuentry never { true; }\n",
	} {
		t.Run(name, func(t *testing.T) {
			at := "EFI/debian/grub.cfg"
			if name == "other case" {
				at = "efi/Fedora/GRUB.CFG"
			}
			esp := open(t, "sda1", "E5B0-1", "", map[string]string{at: stub})
			all := entry.Volumes{esp, open(t, "sda2", "b007", "BOOT", boot)}
			c, err := Parse(esp, all)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{"*a|A|sda2:/vmlinuz|||ro"}, lines(c)); d != "" {
				t.Error(d, c.Notes)
			}
			if c.Source != "sda1:/"+at || seconds(c) != 3 {
				t.Error(c.Source, seconds(c))
			}
		})
	}
	t.Run("target is missing", func(t *testing.T) {
		esp := open(t, "sda1", "", "", map[string]string{
			"EFI/debian/grub.cfg": "search.fs_uuid gone root\nconfigfile ($root)/grub2/grub.cfg\n"})
		c, err := Parse(esp, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"sda1:/EFI/debian/grub.cfg:1: no file system with fs-uuid gone",
			"sda1:/EFI/debian/grub.cfg:2: unusable loader configuration: sda1:/grub2/grub.cfg: no such file or directory",
		}
		if d := cmp.Diff(want, c.Notes); d != "" || len(c.Entries) > 0 || c.Default != -1 {
			t.Error(d, c)
		}
	})
}
