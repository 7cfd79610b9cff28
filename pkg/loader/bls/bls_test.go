// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package bls

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/internal/testing/loadertest"
	"github.com/imaboot/imaboot/pkg/loader"
)

func open(t testing.TB, files map[string]string) *entry.Volume {
	t.Helper()
	v, err := entry.OpenVolume(fileroot.New(t, files), "sda2")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// lines shows entries: ID|title|kernel|initrds|device tree|command line.
func lines(c *entry.Config) []string {
	var out []string
	for _, e := range c.Entries {
		var initrds []string
		for _, f := range e.Initrds {
			initrds = append(initrds, f.Name)
		}
		tree := ""
		if e.DeviceTree != nil {
			tree = e.DeviceTree.Name
		}
		out = append(out, strings.Join([]string{
			e.ID, e.Title, e.Kernel.Name, strings.Join(initrds, ","), tree, e.Cmdline}, "|"))
	}
	return out
}

const (
	id   = "c0ffee00c0ffee00c0ffee00c0ffee00"
	rhel = "grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class kernel\n"
)

// rhel8 is /boot of RHEL 8 for ppc64le.
func rhel8() map[string]string {
	return map[string]string{
		"loader/entries/" + id + "-4.18.0-80.el8.ppc64le.conf": "title Red Hat Enterprise Linux (4.18.0-80.el8.ppc64le) 8.0 (Ootpa)\n" +
			"version 4.18.0-80.el8.ppc64le\nlinux /vmlinuz-4.18.0-80.el8.ppc64le\n" +
			"initrd /initramfs-4.18.0-80.el8.ppc64le.img $tuned_initrd\noptions $kernelopts $tuned_params\n" +
			"id rhel-20190313130104-4.18.0-80.el8.ppc64le\n" + rhel,
		"loader/entries/" + id + "-4.18.0-147.el8.ppc64le.conf": "title Red Hat Enterprise Linux (4.18.0-147.el8.ppc64le) 8.1 (Ootpa)\n" +
			"version 4.18.0-147.el8.ppc64le\nlinux /vmlinuz-4.18.0-147.el8.ppc64le\n" +
			"initrd /initramfs-4.18.0-147.el8.ppc64le.img $tuned_initrd\noptions $kernelopts $tuned_params\n" + rhel,
		"loader/entries/" + id + "-0-rescue.conf": "title Red Hat Enterprise Linux (0-rescue) 8.0 (Ootpa)\n" +
			"version 0-rescue-" + id + "\nlinux /vmlinuz-0-rescue\ninitrd /initramfs-0-rescue.img\noptions $kernelopts\n" + rhel,
		"grub2/grubenv": "# GRUB Environment Block\nsaved_entry=" + id + "-4.18.0-80.el8.ppc64le\n" +
			"kernelopts=root=/dev/mapper/rhel-root ro crashkernel=auto\nboot_success=0\n####",
		"vmlinuz-4.18.0-80.el8.ppc64le": "", "initramfs-4.18.0-80.el8.ppc64le.img": "",
		"vmlinuz-4.18.0-147.el8.ppc64le": "", "initramfs-4.18.0-147.el8.ppc64le.img": "",
		"vmlinuz-0-rescue": "", "initramfs-0-rescue.img": "", "tuned.img": "",
	}
}

func with(files map[string]string, more map[string]string) map[string]string {
	all := maps.Clone(files)
	maps.Copy(all, more)
	return all
}

func kernels(entries map[string]string) map[string]string {
	return with(entries, map[string]string{"k": "", "i": "", "j": ""})
}

// viaBlscfg makes a configuration of what blscfg offers. The default is GRUB's
// affair.
func viaBlscfg(v *entry.Volume, dir string, vars map[string]string) (*entry.Config, error) {
	b, err := parseBlscfg(v, dir, vars, "s390x")
	if err != nil {
		return nil, err
	}
	c := &entry.Config{Notes: b.Notes}
	for _, i := range b.Items {
		if i.Wrong != nil {
			c.Notef("%v", i.Wrong)
			continue
		}
		c.Entries = append(c.Entries, i.Entry)
	}
	return c, nil
}

func TestParse(t *testing.T) {
	const opts = "root=/dev/mapper/rhel-root ro crashkernel=auto"
	rhelLines := func(opts, tuned string) []string {
		return []string{
			id + "-4.18.0-147.el8.ppc64le|Red Hat Enterprise Linux (4.18.0-147.el8.ppc64le) 8.1 (Ootpa)|/vmlinuz-4.18.0-147.el8.ppc64le|/initramfs-4.18.0-147.el8.ppc64le.img" + tuned + "||" + opts,
			id + "-4.18.0-80.el8.ppc64le|Red Hat Enterprise Linux (4.18.0-80.el8.ppc64le) 8.0 (Ootpa)|/vmlinuz-4.18.0-80.el8.ppc64le|/initramfs-4.18.0-80.el8.ppc64le.img" + tuned + "||" + opts,
			id + "-0-rescue|Red Hat Enterprise Linux (0-rescue) 8.0 (Ootpa)|/vmlinuz-0-rescue|/initramfs-0-rescue.img||" + strings.TrimSuffix(opts, " isolcpus=1"),
		}
	}
	seconds := func(n time.Duration) *time.Duration { n *= time.Second; return &n }
	forever := time.Duration(-1)
	for _, tt := range []struct {
		name    string
		files   map[string]string
		vars    map[string]string
		want    []string
		def     int
		timeout *time.Duration
		notes   []string // a part of each
	}{
		{name: "RHEL 8, environment block", files: rhel8(), want: rhelLines(opts, ""), def: 1},
		{
			name: "RHEL 8, GRUB's variables", files: rhel8(), want: rhelLines("ro isolcpus=1", ",/tuned.img"),
			vars: map[string]string{"kernelopts": "ro", "tuned_params": "isolcpus=1", "tuned_initrd": "/tuned.img"},
		},
		{
			name: "RHEL 8, blscfg's fallbacks", files: rhel8(), want: rhelLines("quiet", ""),
			vars: map[string]string{"default_kernelopts": "quiet", "saved_entry": id + "-0-rescue"},
		},
		{name: "RHEL 8, kernelopts of the block only", files: rhel8(), vars: map[string]string{}, want: rhelLines(opts, "")},
		{
			name: "RHEL 9 for s390x, zipl and one file system",
			files: map[string]string{
				"boot/loader/entries/a-5.14.0-70.el9.s390x.conf":  "title Red Hat Enterprise Linux (5.14.0-70.el9.s390x) 9.0\nversion 5.14.0-70.el9.s390x\nlinux /boot/vmlinuz-70\ninitrd /boot/initramfs-70\noptions root=/dev/dasda1 rd.dasd=0.0.0100\narchitecture s390x\n",
				"boot/loader/entries/a-5.14.0-162.el9.s390x.conf": "title Red Hat Enterprise Linux (5.14.0-162.el9.s390x) 9.1\nversion 5.14.0-162.el9.s390x\nlinux /vmlinuz-162\ninitrd initramfs-162\noptions root=/dev/dasda1\n",
				"boot/vmlinuz-70": "", "boot/initramfs-70": "", "boot/vmlinuz-162": "", "boot/initramfs-162": "",
				"etc/zipl.conf": "[defaultboot]\nprompt=1\ntimeout=5\ndefault=\"Red Hat Enterprise Linux (5.14.0-70.el9.s390x) 9.0\"\ntarget=/boot\n[linux]\ndefault=x\n",
			},
			want: []string{
				"a-5.14.0-162.el9.s390x|Red Hat Enterprise Linux (5.14.0-162.el9.s390x) 9.1|/boot/vmlinuz-162|/boot/initramfs-162||root=/dev/dasda1",
				"a-5.14.0-70.el9.s390x|Red Hat Enterprise Linux (5.14.0-70.el9.s390x) 9.0|/boot/vmlinuz-70|/boot/initramfs-70||root=/dev/dasda1 rd.dasd=0.0.0100",
			},
			def: 1,
		},
		{
			name: "zipl, /boot of its own",
			files: kernels(map[string]string{
				"loader/entries/a.conf": "linux /boot/k\ninitrd /boot/i\n",
			}),
			want: []string{"a||/k|/i||"},
		},
		{
			name: "systemd-boot: order, tabs, repeated keys, loader.conf",
			files: kernels(map[string]string{
				"loader/loader.conf":               "# comment\ndefault\tDEB*.conf\ntimeout 3\n",
				"loader/entries/debian-6.1.conf":   "# Debian\ntitle\t\tDebian GNU/Linux 12\nsort-key\tdebian\nmachine-id aa\nversion 6.1\noptions\troot=UUID=1\noptions quiet  splash x=\"1  2\"\ninitrd i j\ninitrd\t/i\nlinux /k\ndevicetree /j\r\n",
				"loader/entries/debian-6.12.conf":  "title Debian GNU/Linux 12\nsort-key debian\nmachine-id aa\nversion 6.12\nlinux k\n",
				"loader/entries/debian-b.conf":     "sort-key debian\nmachine-id bb\nversion 7\nlinux k\n",
				"loader/entries/arch.conf":         "sort-key arch\nlinux k\n",
				"loader/entries/zz.conf":           "linux k\n",
				"loader/entries/arch2+3-1.conf":    "sort-key arch2\nlinux k\n",
				"loader/entries/arch-bad+0-3.conf": "sort-key arch\nlinux k\n",
			}),
			want: []string{
				"arch||/k|||",
				"arch2||/k|||",
				"debian-6.12|Debian GNU/Linux 12|/k|||",
				"debian-6.1|Debian GNU/Linux 12|/k|/i,/j,/i|/j|root=UUID=1 quiet splash x=\"1  2\"",
				"debian-b||/k|||",
				"zz||/k|||",
				"arch-bad||/k|||",
			},
			def: 2, timeout: seconds(3),
		},
		{
			name: "for ever, and a default that GRUB saved as a number",
			files: kernels(map[string]string{
				"loader/loader.conf": "default @saved\ntimeout menu-force\n", "grub/grubenv": "# GRUB Environment Block\nsaved_entry=1\n",
				"loader/entries/a.conf": "linux k\n", "loader/entries/b.conf": "linux k\n",
			}),
			want: []string{"b||/k|||", "a||/k|||"}, def: 1, timeout: &forever,
		},
		{
			name: "a rescue entry that is made for another machine-id",
			files: kernels(map[string]string{
				"loader/entries/ff-0-rescue.conf": "linux k\n", "loader/entries/aa-5.14.conf": "linux k\n",
			}),
			want: []string{"aa-5.14||/k|||", "ff-0-rescue||/k|||"},
		},
		{
			name: "early initrds and default options",
			files: kernels(map[string]string{
				"loader/entries/a.conf": "linux k\ninitrd /i\n",
				"loader/entries/b.conf": "linux k\ninitrd $early_initrd /i\noptions a$none ${root}\\$\n",
			}),
			vars: map[string]string{"early_initrd": "j", "default_kernelopts": "ro", "root": "x"},
			want: []string{`b||/k|/j,/i||a x\$`, "a||/k|/j,/i||ro"},
		},
		{
			name: "GRUB's device tree and early initrds are beside the kernel",
			files: kernels(map[string]string{
				"loader/entries/a.conf": "linux /boot/k\n", "boot/k": "", "boot/d.dtb": "", "boot/j": "",
				"loader/entries/b.conf": "linux k\ndevicetree i\n",
			}),
			vars: map[string]string{"early_initrd": "j", "devicetree": "d.dtb"},
			want: []string{"b||/k|/j|/i|", "a||/boot/k|/boot/j|/boot/d.dtb|"},
		},
		{
			name: "GRUB sorts by file names, counters are a part of them, and it skips names with a dot in front",
			files: kernels(map[string]string{
				"loader/entries/m-6.1.conf": "linux k\nsort-key x\n", "loader/entries/m-6.2.conf": "linux k\n", "loader/entries/.m-6.9.conf": "linux k\n",
				"loader/entries/m-6.3+0-3.conf": "linux k\n", "loader/entries/m-6.4.CONF": "linux k\n", "loader/entries/auto-m.conf": "linux k\n",
			}),
			vars: map[string]string{},
			want: []string{"m-6.3+0-3||/k|||", "m-6.2||/k|||", "m-6.1||/k|||", "auto-m||/k|||"},
		},
		{
			name: "blsdir",
			files: kernels(map[string]string{
				"root/boot/loader/entries/m.conf": "linux /root/boot/vmlinuz\n", "root/boot/vmlinuz": "", "loader/entries/a.conf": "linux k\n",
			}),
			vars: map[string]string{"blsdir": "/root/boot/loader/entries"},
			want: []string{"m||/root/boot/vmlinuz|||"},
		},
		{
			name:  "blsdir that is gone",
			files: kernels(map[string]string{"boot/loader/entries/m.conf": "linux k\n", "loader/entries/a.conf": "linux k\n"}),
			vars:  map[string]string{"blsdir": "/none"},
			want:  []string{"m||/k|||"},
		},
		{
			name: "a subvolume is the root file system",
			files: map[string]string{
				"root/boot/loader/entries/m-2.conf": "linux /root/boot/k2\n", "root/boot/loader/entries/m-1.conf": "linux /boot/k1\ninitrd i1\noptions $x\n",
				"root/boot/k2": "", "root/boot/k1": "", "boot/k1": "", "root/boot/i1": "", "home/a": "",
				"root/boot/grub2/grubenv": "# GRUB Environment Block\nsaved_entry=m-1\nx=ro\n",
			},
			want: []string{"m-2||/root/boot/k2|||", "m-1||/root/boot/k1|/root/boot/i1||ro"}, def: 1,
		},
		{
			name:  "a subvolume is /boot",
			files: map[string]string{"@boot/loader/entries/m.conf": "linux /boot/k\n", "@boot/k": ""},
			want:  []string{"m||/@boot/k|||"},
		},
		{
			name: "what is left out",
			files: kernels(map[string]string{
				"loader/entries/a.conf": "efi /EFI/shell.efi\n",
				"loader/entries/b.conf": "title b\n",
				"loader/entries/c.conf": "linux k\narchitecture AA64\n",
				"loader/entries/d.conf": "linux /none\n",
				"loader/entries/e.conf": "linux k\ninitrd i none\n",
				"loader/entries/f.conf": "linux k\ndevicetree none\n",
				"loader/entries/g.conf": "linux k\noptions " + strings.Repeat("$a", 9000) + "\n",
				"loader/entries/h.conf": strings.Repeat("#", maxText+1),
				"loader/entries/i.conf": "linux k\narchitecture power\ndevicetree-overlay /o\n",
				"loader/entries/j":      "linux k\n",
				"loader/entries/k.conf": "linux k\ninitrd " + strings.Repeat("i ", loader.MaxInitrds+1) + "\n",
			}),
			vars: map[string]string{"a": "12345678"},
			want: []string{"i||/k|||"},
			notes: []string{
				"sda2:/loader/entries/i.conf: device tree overlays are not applied",
				"sda2:/loader/entries/b.conf: no linux key",
				"sda2:/loader/entries/a.conf: efi is for EFI firmware",
				"sda2:/loader/entries/k.conf: more than 64 initrds",
				"sda2:/loader/entries/h.conf has more than",
				"sda2:/loader/entries/g.conf: a value has more than 65536 bytes",
				"sda2:/loader/entries/f.conf: devicetree: ",
				"sda2:/loader/entries/e.conf: initrd: ",
				"sda2:/loader/entries/d.conf: linux: ",
				"sda2:/loader/entries/c.conf: is for arm64",
			},
		},
		{
			name: "nothing left", files: map[string]string{"loader/entries/a.conf": "linux k\n"}, def: -1,
			notes: []string{"sda2:/k: no such file"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c *entry.Config
			var err error
			if v := open(t, tt.files); tt.vars == nil {
				c, err = parse(v, nil, "s390x")
			} else {
				c, err = viaBlscfg(v, "", tt.vars)
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, lines(c)); diff != "" {
				t.Error(diff)
			}
			if c.Default != tt.def {
				t.Errorf("default %d, want %d", c.Default, tt.def)
			}
			if diff := cmp.Diff(tt.timeout, c.Timeout); diff != "" {
				t.Error(diff)
			}
			if len(c.Notes) != len(tt.notes) {
				t.Fatalf("notes %q", c.Notes)
			}
			for i, want := range tt.notes {
				if !strings.Contains(c.Notes[i], want) {
					t.Errorf("note %q, want %q", c.Notes[i], want)
				}
			}
		})
	}
}

// TestSees: systemd-boot, zipl and GRUB do not read the same files.
func TestSees(t *testing.T) {
	for name, want := range map[string][3]bool{ // by systemd, zipl, grub
		"a.conf": {true, true, true}, "a.CONF": {true, false, false}, ".a.conf": {false, true, false},
		"auto-a.conf": {false, true, true}, "a.conf.bak": {}, "conf": {},
	} {
		for _, is := range []reader{systemd, zipl, grub} {
			if got := is.sees(name); got != want[is] {
				t.Errorf("%d: %s: %v", is, name, got)
			}
		}
	}
}

func TestBlscfgPath(t *testing.T) {
	v := open(t, kernels(map[string]string{"other/a.conf": "linux k\n", "other/b.conf": "linux k\n", "loader/entries/c.conf": "linux k\n"}))
	for dir, want := range map[string]string{
		"/other": "[b||/k||| a||/k|||]", "other/": "[b||/k||| a||/k|||]", "/other/a.conf": "[a||/k|||]", "/none": "", "/other/none.conf": "", "": "[c||/k|||]",
	} {
		c, err := viaBlscfg(v, dir, map[string]string{})
		if (err == nil) != (want != "") || err == nil && fmt.Sprint(lines(c)) != want {
			t.Errorf("%s: %v, %v", dir, c, err)
		}
	}
}

func TestParseNothing(t *testing.T) {
	_, err := Parse(open(t, map[string]string{"loader/entries/README": ""}), nil)
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, entry.ErrConfig) {
		t.Errorf("error %v", err)
	}
}

// TestPaths: what is at the end of long links costs little.
func TestPaths(t *testing.T) {
	files := map[string]string{}
	for i := range 500 {
		files[fmt.Sprintf("loader/entries/%d.conf", i)] = "linux /link/a\ninitrd " + strings.Repeat("/link/a ", loader.MaxInitrds) + "\n"
	}
	loadertest.CheckPaths(t, Parse, files)
}

func FuzzParse(f *testing.F) {
	for name, content := range rhel8() {
		f.Add(content, name)
	}
	dir := fileroot.New(f, map[string]string{"k": ""})
	v, err := entry.OpenVolume(dir, "sda2")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { v.Close() })
	f.Fuzz(func(t *testing.T, snippet, other string) {
		fileroot.Add(t, dir, map[string]string{
			"loader/entries/a+1.conf": snippet, "boot/grub2/grubenv": other, "loader/loader.conf": other,
			"etc/zipl.conf": other,
		})
		if _, err := viaBlscfg(v, "", map[string]string{"a": other}); err != nil {
			t.Fatal(err)
		}
		c, err := Parse(v, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Entries)+len(c.Notes) == 0 || c.Default >= len(c.Entries) {
			t.Errorf("%+v", c)
		}
	})
}

// TestParseAmong: the configuration of the loader is on another volume than
// its entries.
func TestParseAmong(t *testing.T) {
	kernel := func(title string) string { return "title " + title + "\nlinux /vmlinuz\n" }
	for _, tt := range []struct {
		name           string
		entries, other map[string]string // on one disk
		far            map[string]string // on another one
		arch           string
		order          []string
		def            int
	}{
		{
			name:    "systemd-boot's order",
			entries: map[string]string{"loader/entries/arch.conf": kernel("a"), "loader/entries/arch-fallback.conf": kernel("f")},
			arch:    "amd64", order: []string{"arch", "arch-fallback"},
		},
		{
			name:    "loader.conf on the ESP",
			entries: map[string]string{"loader/entries/arch.conf": kernel("a"), "loader/entries/zen.conf": kernel("z")},
			other:   map[string]string{"loader/loader.conf": "default arch.conf\n"},
			arch:    "amd64", order: []string{"zen", "arch"}, def: 1,
		},
		{
			name:    "zipl.conf on the root",
			entries: map[string]string{"loader/entries/m-427.conf": kernel("Linux (427)"), "loader/entries/m-362.conf": kernel("Linux (362)")},
			other:   map[string]string{"etc/zipl.conf": "[defaultboot]\ndefault=\"Linux (362)\"\ntarget=/boot\n"},
			arch:    "s390x", order: []string{"m-427", "m-362"}, def: 1,
		},
		{
			name: "zipl.conf names a version",
			entries: map[string]string{
				"loader/entries/m-427.conf": kernel("Linux (427)") + "version 427.s390x\n", "loader/entries/m-362.conf": kernel("Linux (362)") + "version 362.s390x\n",
			},
			other: map[string]string{"etc/zipl.conf": "[defaultboot]\ndefaultauto\ndefault = 362.s390x\n"},
			arch:  "s390x", order: []string{"m-427", "m-362"}, def: 1,
		},
		{
			name: "another loader is the default",
			entries: map[string]string{
				"loader/entries/other.conf": "efi /EFI/other/other.efi\n", "EFI/other/other.efi": "", "loader/loader.conf": "default\tother\n",
				"loader/entries/arch.conf": kernel("a"), "loader/entries/zen.conf": kernel("z"),
			},
			arch: "amd64", order: []string{"zen", "arch"}, def: entry.Elsewhere,
		},
		{
			name: "another loader is in front of the default",
			entries: map[string]string{
				"loader/entries/zz.conf": "efi /EFI/other/other.efi\n", "EFI/other/other.efi": "", "loader/loader.conf": "default arch-*\n",
				"loader/entries/arch-1.conf": kernel("a"), "loader/entries/zen.conf": kernel("z"),
			},
			arch: "amd64", order: []string{"zen", "arch-1"}, def: 1,
		},
		{
			name: "another loader that is first, and one that is gone",
			entries: map[string]string{
				"loader/entries/zz.conf": "efi /none.efi\n", "loader/entries/z.conf": "efi /vmlinuz\n", "loader/entries/arch.conf": kernel("a"),
			},
			arch: "amd64", order: []string{"arch"}, def: entry.Elsewhere,
		},
		{
			name:    "nor is it for zipl",
			entries: map[string]string{"loader/entries/z.conf": "efi /vmlinuz\n", "loader/entries/arch.conf": kernel("a")},
			arch:    "s390x", order: []string{"arch"},
		},
		{
			name:    "a unified image is the default",
			entries: map[string]string{"loader/entries/arch.conf": kernel("a")},
			other:   map[string]string{"loader/loader.conf": "default arch-linux*.efi\n", "EFI/Linux/Arch-Linux-lts.efi": ""},
			arch:    "amd64", order: []string{"arch"}, def: entry.Elsewhere,
		},
		{
			name:    "a unified image that there is not",
			entries: map[string]string{"loader/entries/arch.conf": kernel("a"), "loader/loader.conf": "default arch-linux.efi\n"},
			arch:    "amd64", order: []string{"arch"},
		},
		{
			name:    "a unified image on another disk",
			entries: map[string]string{"loader/entries/arch.conf": kernel("a"), "loader/loader.conf": "default arch-linux*.efi\n"},
			far:     map[string]string{"EFI/Linux/arch-linux.efi": ""},
			arch:    "amd64", order: []string{"arch"},
		},
		{
			name:    "loader.conf of the disk, not of another one",
			entries: map[string]string{"loader/entries/arch.conf": kernel("a"), "loader/entries/zen.conf": kernel("z")},
			far:     map[string]string{"loader/loader.conf": "default zen.conf\n", "etc/zipl.conf": "[defaultboot]\ndefault=z\n"},
			other:   map[string]string{"loader/loader.conf": "default arch.conf\n"},
			arch:    "amd64", order: []string{"zen", "arch"}, def: 1,
		},
		{
			name:    "zipl.conf of the disk, not of another one",
			entries: map[string]string{"loader/entries/m-427.conf": kernel("b"), "loader/entries/m-362.conf": kernel("a")},
			far:     map[string]string{"etc/zipl.conf": "[defaultboot]\ndefault=b\n"},
			other:   map[string]string{"etc/zipl.conf": "[defaultboot]\ndefault=a\n"},
			arch:    "s390x", order: []string{"m-427", "m-362"}, def: 1,
		},
		{
			name:    "another system is the default",
			entries: map[string]string{"loader/entries/arch.conf": kernel("a"), "loader/loader.conf": "default auto-windows\n"},
			arch:    "amd64", order: []string{"arch"}, def: entry.Elsewhere,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.entries["vmlinuz"] = "kernel"
			far, v, other := open(t, tt.far), open(t, tt.entries), open(t, tt.other)
			far.Device, other.Device = "sda1", "sdb1"
			v.Device = "sdb2"
			c, err := parse(v, entry.Volumes{far, v, other}, tt.arch)
			if err != nil {
				t.Fatal(err)
			}
			var order []string
			for _, e := range c.Entries {
				order = append(order, e.ID)
			}
			if diff := cmp.Diff(tt.order, order); diff != "" || c.Default != tt.def {
				t.Errorf("default %d, want %d\n%s", c.Default, tt.def, diff)
			}
		})
	}
}
