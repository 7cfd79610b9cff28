// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package syslinux

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/loadertest"
	"github.com/imaboot/imaboot/pkg/loader"
)

func mustParse(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func tenths(n int64) *time.Duration {
	d := time.Duration(n) * 100 * time.Millisecond
	return &d
}

var forever = func() *time.Duration { d := time.Duration(-1); return &d }()

func TestPXE(t *testing.T) {
	const (
		base   = "tftp://192.0.2.1/"
		bootif = "BOOTIF=01-52-54-00-12-ab-56"
	)
	tests := []struct {
		name, text string
		files      map[string]string
		settings   map[string]string // of the lease
		prefix     string            // base if it is empty
		want       []entry.Entry
		deflt      int
		timeout    *time.Duration
		notes      int
	}{
		{
			name: "Debian installer",
			text: `# D-I config version 2.0
path debian-installer/ppc64el/boot-screens/
include debian-installer/ppc64el/boot-screens/menu.cfg
default debian-installer/ppc64el/boot-screens/vesamenu.c32
prompt 0
timeout 0
`,
			files: map[string]string{
				base + "debian-installer/ppc64el/boot-screens/menu.cfg": `menu hshift 4
menu title Installer boot menu
include debian-installer/ppc64el/boot-screens/txt.cfg
menu begin advanced
	menu label ^Advanced options
	menu title Advanced options
	label expert
		menu label E^xpert install
		kernel debian-installer/ppc64el/vmlinux
		append priority=low initrd=debian-installer/ppc64el/initrd.gz ---
menu end
label help
	menu label ^Help
	text help
   label of a text, kernel of a text
	endtext
	config debian-installer/ppc64el/boot-screens/prompt.cfg
`,
				base + "debian-installer/ppc64el/boot-screens/txt.cfg": `label install
	menu label ^Install
	menu default
	kernel debian-installer/ppc64el/vmlinux
	append vga=788 initrd=debian-installer/ppc64el/initrd.gz --- quiet
`,
			},
			want: []entry.Entry{
				{ID: "install", Title: "Install", Kernel: entry.File{Name: base + "debian-installer/ppc64el/vmlinux"},
					Initrds: loadertest.URLs(base + "debian-installer/ppc64el/initrd.gz"), Cmdline: "vga=788 initrd=debian-installer/ppc64el/initrd.gz --- quiet"},
				{ID: "expert", Title: "Expert install", Kernel: entry.File{Name: base + "debian-installer/ppc64el/vmlinux"},
					Initrds: loadertest.URLs(base + "debian-installer/ppc64el/initrd.gz"), Cmdline: "priority=low initrd=debian-installer/ppc64el/initrd.gz ---"},
			},
			timeout: forever, notes: 1,
		},
		{
			name: "RHEL for petitboot",
			text: `DEFAULT rhel9
PROMPT 1
TIMEOUT 600
LABEL rescue
  KERNEL rhel9/ppc64le/vmlinuz
  INITRD rhel9/ppc64le/initrd.img
  APPEND inst.rescue inst.repo=http://192.0.2.1/rhel9
  SYSAPPEND 0x6
LABEL rhel9
  MENU LABEL RHEL 9
  KERNEL http://192.0.2.1/rhel9/ppc/ppc64/vmlinuz
  INITRD http://192.0.2.1/rhel9/ppc/ppc64/initrd.img
  APPEND ip=dhcp inst.repo=http://192.0.2.1/rhel9 inst.ks=http://192.0.2.1/ks.cfg
  IPAPPEND 2
`,
			want: []entry.Entry{
				{ID: "rescue", Kernel: entry.File{Name: base + "rhel9/ppc64le/vmlinuz"}, Initrds: loadertest.URLs(base + "rhel9/ppc64le/initrd.img"),
					Cmdline: "inst.rescue inst.repo=http://192.0.2.1/rhel9 " + bootif + " SYSUUID=" + loadertest.UUID},
				{ID: "rhel9", Title: "RHEL 9", Kernel: entry.File{Name: "http://192.0.2.1/rhel9/ppc/ppc64/vmlinuz"},
					Initrds: loadertest.URLs("http://192.0.2.1/rhel9/ppc/ppc64/initrd.img"),
					Cmdline: "ip=dhcp inst.repo=http://192.0.2.1/rhel9 inst.ks=http://192.0.2.1/ks.cfg " + bootif},
			},
			deflt: 1, timeout: tenths(600),
		},
		{
			name: "SLES for s390x, and Fedora with two archives and a tree",
			text: `default harddisk
prompt 1
append console=ttysclp0
ipappend 2
ontimeout fedora
label harddisk
  localboot 0
label linux
  kernel /sles15/boot/s390x/linux
  append initrd=/sles15/boot/s390x/initrd install=http://192.0.2.1/sles15
label fedora
  linux fedora/vmlinuz-6.1.0
  initrd fedora/initrd.img,fedora/updates.img
  fdt fedora/board.dtb
label bare
  kernel kernel.img quiet
  append -
`,
			want: []entry.Entry{
				{ID: "linux", Kernel: entry.File{Name: base + "sles15/boot/s390x/linux"}, Initrds: loadertest.URLs(base + "sles15/boot/s390x/initrd"),
					Cmdline: "initrd=/sles15/boot/s390x/initrd install=http://192.0.2.1/sles15 " + bootif},
				{ID: "fedora", Kernel: entry.File{Name: base + "fedora/vmlinuz-6.1.0"}, Initrds: loadertest.URLs(base+"fedora/initrd.img", base+"fedora/updates.img"),
					DeviceTree: &entry.File{Name: base + "fedora/board.dtb"}, Cmdline: "console=ttysclp0 " + bootif},
				{ID: "bare", Kernel: entry.File{Name: base + "kernel.img"}, Cmdline: "quiet " + bootif},
			},
			deflt: 1, notes: 1,
		},
		{
			name: "menus: separators, ways to others, a line for all that labels below have",
			text: "ui menu.c32\nappend one\nlabel a\nkernel k\nmenu separator\nappend two\ntimeout 50 # tenths\n" +
				"menu begin more\ntimeout 9\nlabel back\nmenu exit\nlabel b\nkernel k\nmenu end\n" +
				"label c\nkernel k x\nmenu disabled\nlabel d\nkernel k x\n",
			want: []entry.Entry{
				{ID: "a", Kernel: entry.File{Name: base + "k"}, Cmdline: "one"}, {ID: "b", Kernel: entry.File{Name: base + "k"}, Cmdline: "two"},
				{ID: "d", Kernel: entry.File{Name: base + "k"}, Cmdline: "x two"},
			},
			timeout: tenths(50), notes: 1,
		},
		{
			name: "xCAT for petitboot",
			text: "#install\ndefault node (192.0.2.1)\nlabel node (192.0.2.1)\n\tkernel http://192.0.2.1:80//install/vmlinuz\n" +
				"\tinitrd http://192.0.2.1:80//install/initrd.gz\n\tappend \"quiet xcatd=192.0.2.1:3001 \"\n" +
				"label other\nkernel k\nappend \"a b\" c=\"d e\"\n",
			want: []entry.Entry{
				{ID: "node (192.0.2.1)", Kernel: entry.File{Name: "http://192.0.2.1:80//install/vmlinuz"},
					Initrds: loadertest.URLs("http://192.0.2.1:80//install/initrd.gz"), Cmdline: "quiet xcatd=192.0.2.1:3001"},
				{ID: "other", Kernel: entry.File{Name: base + "k"}, Cmdline: `"a b" c="d e"`},
			},
		},
		{
			name: "initrds of a command line come before the label's, and it stays as it is",
			text: "label a\nkernel k\ninitrd j\nappend\tx  initrd=i\ty initrd=none\nlabel b\nkernel k initrd=j\nappend initrd=i\n" +
				"label c\nkernel k\nappend initrd= noinitrd=i\ninitrd=j\n",
			want: []entry.Entry{
				{ID: "a", Kernel: entry.File{Name: base + "k"}, Initrds: loadertest.URLs(base + "i"), Cmdline: "x  initrd=i\ty initrd=none"},
				{ID: "b", Kernel: entry.File{Name: base + "k"}, Initrds: loadertest.URLs(base + "j"), Cmdline: "initrd=j initrd=i"},
				{ID: "c", Kernel: entry.File{Name: base + "k"}, Initrds: loadertest.URLs(base + "j"), Cmdline: "initrd= noinitrd=i"},
			},
		},
		{
			name: "MAAS for partitions of s390x, and Petitboot's device tree",
			text: "DEFAULT execute\nLABEL execute\n  SAY Booting\n  KERNEL=k\n  INITRD=i\n  APPEND=ro BOOTIF=x\nlabel tree\nkernel k\ndtb d.dtb\n",
			want: []entry.Entry{
				{ID: "execute", Kernel: entry.File{Name: base + "k"}, Initrds: loadertest.URLs(base + "i"), Cmdline: "ro BOOTIF=x"},
				{ID: "tree", Kernel: entry.File{Name: base + "k"}, DeviceTree: &entry.File{Name: base + "d.dtb"}},
			},
		},
		{
			name: "an included file in the root of the server",
			text: "include /sub/a.cfg\ninclude /sub/b.cfg\n",
			files: map[string]string{
				base + "pxe/sub/a.cfg": "label a\nkernel k\n", base + "sub/a.cfg": "label wrong\nkernel k\n", base + "sub/b.cfg": "label b\nkernel k\n",
			},
			prefix: base + "pxe/",
			want:   []entry.Entry{{ID: "a", Kernel: entry.File{Name: base + "pxe/k"}}, {ID: "b", Kernel: entry.File{Name: base + "pxe/k"}}},
		},
		{
			name:     "addresses",
			text:     "label a\nkernel k\nipappend 3 # both\n",
			settings: map[string]string{"gateway": "192.0.2.254", "netmask": "255.255.255.0"},
			want: []entry.Entry{{ID: "a", Kernel: entry.File{Name: base + "k"},
				Cmdline: "ip=192.0.2.77:192.0.2.1:192.0.2.254:255.255.255.0 " + bootif}},
		},
		{
			name:  "default is no label",
			text:  "default other\nlabel a\nkernel k\n",
			want:  []entry.Entry{{ID: "a", Kernel: entry.File{Name: base + "k"}}},
			deflt: -1,
		},
		{
			name: "a menu without a default begins with the first",
			text: "\xef\xbb\xbfui menu.c32\r\nlabel a\r\nkernel k\r\n",
			want: []entry.Entry{{ID: "a", Kernel: entry.File{Name: base + "k"}}},
		},
		{
			name: "default with options, and a line with an equals sign",
			text: "default a single\nlabel a\nkernel k\ninitrd=i\nipappend 2\n",
			want: []entry.Entry{
				{ID: "a", Kernel: entry.File{Name: base + "k"}, Initrds: loadertest.URLs(base + "i"), Cmdline: bootif},
				{ID: "a", Kernel: entry.File{Name: base + "k"}, Initrds: loadertest.URLs(base + "i"), Cmdline: bootif + " single"},
			},
			deflt: 1,
		},
		{
			name: "what cannot be used is noted",
			text: `include missing.cfg
timeout soon
label module
kernel vesamenu.c32
label nothing
label bad
kernel file:///etc/passwd
label bad initrd
kernel k
initrd a,b%zz
label bad tree
kernel k
fdt nfs://x
label bits
kernel k
sysappend 0x11
fdtdir dtbs/
label number
kernel k
sysappend many
`,
			want:  []entry.Entry{{ID: "bits", Kernel: entry.File{Name: base + "k"}}, {ID: "number", Kernel: entry.File{Name: base + "k"}}},
			deflt: entry.Elsewhere, notes: 10,
		},
		{name: "empty", deflt: -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &loadertest.Site{Files: tt.files}
			client := loadertest.Client("")
			client.Settings = tt.settings
			prefix := tt.prefix
			if prefix == "" {
				prefix = base
			}
			c, err := (&PXE{mustParse(t, prefix), client, s.Read}).Parse(t.Context(), base+"pxelinux.cfg/default", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, c.Entries, cmp.AllowUnexported(entry.Volume{})); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			if c.Default != tt.deflt || !cmp.Equal(c.Timeout, tt.timeout) || len(c.Notes) != tt.notes {
				t.Errorf("default %d, timeout %v, notes %q; want %d, %v, %d notes", c.Default, c.Timeout, c.Notes, tt.deflt, tt.timeout, tt.notes)
			}
		})
	}
}

func TestPXEHostile(t *testing.T) {
	many := strings.Repeat("include other\n", maxFiles+1)
	tests := []struct {
		name, text string
		files      map[string]string
		asked      int
	}{
		{"includes itself", "include x", map[string]string{"http://h/x": "include x"}, maxDepth},
		{"includes in a circle", "include x", map[string]string{"http://h/x": "include y", "http://h/y": "menu include x"}, maxDepth},
		{"many includes", many, map[string]string{"http://h/other": ""}, maxFiles},
		{"many labels", strings.Repeat("label x\n", loader.MaxEntries+1), nil, 0},
		{"gigantic", strings.Repeat("#", entry.MaxConfig+1), nil, 0},
		{"junk", "label a\nkernel \x00", nil, 0},
		{"junk in an include", "include x", map[string]string{"http://h/x": "\x1b"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &loadertest.Site{Files: tt.files}
			_, err := (&PXE{mustParse(t, "http://h/"), loadertest.Client(""), s.Read}).Parse(t.Context(), "http://h/default", []byte(tt.text))
			if !errors.Is(err, entry.ErrConfig) || !strings.Contains(err.Error(), "http://h/") {
				t.Errorf("error %v, want ErrConfig with the file's name", err)
			}
			if len(s.Asked) != tt.asked {
				t.Errorf("asked for %d files, want %d", len(s.Asked), tt.asked)
			}
		})
	}
}

func FuzzPXE(f *testing.F) {
	f.Add("default a\nlabel a\nkernel k\nappend initrd=i x\nipappend 2\nmenu label ^A\ntimeout 5", "label b\nlinux http://x/y")
	f.Add("include x\nui menu.c32\nlabel a\nkernel h::x\nfdt y\ninitrd a,b", "include x")
	f.Fuzz(func(t *testing.T, text, included string) {
		s := &loadertest.Site{Files: map[string]string{"http://h/x": included}}
		c, err := (&PXE{mustParse(t, "http://h/"), loadertest.Client(""), s.Read}).Parse(t.Context(), "http://h/default", []byte(text))
		if err == nil {
			loadertest.CheckConfig(t, c)
		}
	})
}

func TestResolve(t *testing.T) {
	tests := []struct{ prefix, name, want string }{
		{"tftp://h/a/", "vmlinuz", "tftp://h/a/vmlinuz"},
		// PXELINUX puts its prefix in front of these, and others do not.
		{"tftp://h/a/", "/vmlinuz", "tftp://h/a/vmlinuz tftp://h/vmlinuz"},
		{"http://h/a/p-", "/b//vmlinuz?x=1", "http://h/a/p-/b/vmlinuz?x=1 http://h/b/vmlinuz?x=1"},
		{"tftp://h/", "/vmlinuz", "tftp://h/vmlinuz"},
		{"tftp://h/a/", "/../../vmlinuz", "tftp://h/vmlinuz"},
		{"tftp://h/a/", "../b/./vmlinuz", "tftp://h/b/vmlinuz"},
		{"tftp://h/a/", "../../../vmlinuz", "tftp://h/vmlinuz"},
		{"http://h/a/p-", "vmlinuz?x=1", "http://h/a/p-vmlinuz?x=1"},
		{"http://h/a/", "https://i/b%20c", "https://i/b%20c"},
		{"http://h/a/", "192.0.2.3::/b/c", "tftp://192.0.2.3/b/c"},
		{"http://h/a/", "::b/c", "http://h/b/c"},
		{"http://h/a/", "", ""},
		{"http://h/a/", "//i/b", ""},
		{"http://h/a/", "file:///etc/passwd", ""},
		{"http://h/a/", "a%zz", ""},
	}
	for _, tt := range tests {
		f, err := Resolve(mustParse(t, tt.prefix), tt.name)
		got := strings.TrimSpace(f.Name + " " + f.Else)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("Resolve(%q, %q) = %q, %v, want %q", tt.prefix, tt.name, got, err, tt.want)
		}
	}
}
