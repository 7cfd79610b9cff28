// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package ipxe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/loadertest"
)

const scriptURL = "http://boot.example.org/ipxe/boot.ipxe"

func TestIPXE(t *testing.T) {
	const dir = "http://boot.example.org/ipxe/"
	simple := entry.Entry{ID: "k", Kernel: entry.File{Name: dir + "k"}}
	with := func(args string) entry.Entry {
		e := simple
		e.Cmdline = args
		return e
	}
	tests := []struct {
		name, text string
		files      map[string]string
		want       entry.Entry
		notes      int
	}{
		{
			name: "Debian",
			text: `#!ipxe
# netboot of an installer
set base http://deb.example.org/debian/dists/stable/main/installer-ppc64el/current/images/netboot/debian-installer/ppc64el
kernel ${base}/vmlinux priority=critical auto url=http://192.0.2.1/preseed?mac=${net0/mac:hexhyp} \
  interface=${net0/mac}
initrd ${base}/initrd.gz
boot || goto failed
:failed
echo failed
shell
`,
			want: entry.Entry{
				ID: "vmlinux", Kernel: entry.File{Name: "http://deb.example.org/debian/dists/stable/main/installer-ppc64el/current/images/netboot/debian-installer/ppc64el/vmlinux"},
				Initrds: loadertest.URLs("http://deb.example.org/debian/dists/stable/main/installer-ppc64el/current/images/netboot/debian-installer/ppc64el/initrd.gz"),
				Cmdline: "priority=critical auto url=http://192.0.2.1/preseed?mac=52-54-00-12-ab-56 interface=52:54:00:12:ab:56",
			},
		},
		{
			name: "Fedora with a menu",
			text: `#!ipxe
:start
menu Boot of ${ip}
item --gap -- Installers
item --key r rhel RHEL 9
item fedora Fedora Server
choose --default fedora --timeout 5000 os && goto ${os} || goto start
:rhel
kernel rhel/vmlinuz
boot
:fedora
imgfree
kernel --name linux fedora/vmlinuz inst.repo=http://${next-server}/fedora
initrd --name one fedora/initrd.img
module fedora/updates.img
imgargs linux ip=dhcp BOOTIF=01-${netX/machyp} uuid=${uuid}
boot linux
`,
			want: entry.Entry{
				ID: "linux", Title: "Fedora Server", Kernel: entry.File{Name: dir + "fedora/vmlinuz"},
				Initrds: loadertest.URLs(dir+"fedora/initrd.img", dir+"fedora/updates.img"),
				Cmdline: "ip=dhcp BOOTIF=01-52-54-00-12-ab-56 uuid=" + loadertest.UUID,
			},
			notes: 1,
		},
		{
			name: "SLES for s390x over two scripts",
			text: "#!ipxe\nset arch s390x\nisset ${net1/mac} && goto other ||\nchain --autofree sub/${arch}.ipxe || chain late.ipxe\nboot\n:other\nexit 1\n",
			files: map[string]string{dir + "sub/s390x.ipxe": `#!ipxe
dhcp && echo up
imgfetch /sles/boot/s390x/linux install=http://192.0.2.1/sles
imgselect linux
initrd ../initrd
`},
			want: entry.Entry{
				ID: "linux", Kernel: entry.File{Name: "http://boot.example.org/sles/boot/s390x/linux"},
				Initrds: loadertest.URLs("http://boot.example.org/ipxe/initrd"), Cmdline: "install=http://192.0.2.1/sles",
			},
		},
		{
			name: "chain to a kernel", text: "#!ipxe\nchain k a b\n",
			files: map[string]string{dir + "k": "\x7fELF"}, want: with("a b"),
		},
		{
			name: "chain to a big one", text: "#!ipxe\nchain k\n",
			files: map[string]string{dir + "k": "!big"}, want: simple,
		},
		{
			name: "a script that exits, and one that replaces", text: "#!ipxe\nchain a\nchain b || chain -ar c\nkernel wrong\nboot\n",
			files: map[string]string{dir + "a": "#!ipxe\nexit\nboot wrong", dir + "b": "#!ipxe\nexit 1", dir + "c": "#!ipxe\nkernel k\nboot\n"},
			want:  simple, notes: 2,
		},
		{
			name: "a script without labels of its own", text: "#!ipxe\nchain missing || kernel k one # two\nboot", want: with("one"), notes: 1,
		},
		{
			name: "order of evaluation",
			text: "#!ipxe\nset a 1 && set b ${a}${a} ; set name b\niseq ${${name}} 11 && kernel k ${b} ||\niseq x y || iseq x y && kernel wrong ||\nclear a\nisset ${a} || imgargs k ${b}-${a:string}-${ip:hexraw}-${c}\nboot",
			want: with("11--c000024d-"),
		},
		{
			name: "variables", text: "#!ipxe\nset mac:string a b,(é)/+\nkernel k ${mac:uristring} ${filename} ${cwuri} ${cwduri} ${net0/ip:hex} ${uuid:hexraw} ${x:hexhyp} } ${open\nboot",
			want: with("a%20b,(%C3%A9)%2F%2B tftp://192.0.2.1/f " + scriptURL + " " + dir + " c0:00:02:4d " + strings.ReplaceAll(loadertest.UUID, "-", "") + "  } ${open"),
		},
		{
			name: "an item that says that it is the default, and another menu's letters",
			text: "#!ipxe\nmenu a\nitem --gap -- x\nitem k1 One\nitem -d k2 Two\nitem -k 3 k3 Three\nchoose -k -t 100 x\n" +
				"choose y\nchoose z ||\niseq ${x}${y} k2k2 && kernel k ${z}\nboot",
			want: entry.Entry{ID: "k", Title: "Two", Kernel: entry.File{Name: dir + "k"}}, notes: 3,
		},
		{
			name: "what DHCP says",
			text: "#!ipxe\nkernel k ip=${ip}::${net0/gateway}:${netX/netmask}:${hostname} ns=${dns} ${net0.dhcp/dhcp-server}${serial}\nboot",
			want: with("ip=192.0.2.77::192.0.2.254:255.255.255.0:node7 ns=198.51.100.53 192.0.2.9"),
		},
		{
			name: "unknown commands and what asks are failures that can be caught",
			text: "#!ipxe\nsanhook iscsi:x || prompt --key 2 menu && kernel wrong || kernel k\nimgselect file:x || goto nowhere ||\nboot",
			want: simple, notes: 4,
		},
		{
			name: "an image that there is", text: "#!ipxe\nimgfetch --name k a/b one\nkernel wrong\nkernel k two\ninitrd i\nboot",
			want: entry.Entry{ID: "k", Kernel: entry.File{Name: dir + "a/b"}, Cmdline: "two", Initrds: loadertest.URLs(dir + "i")},
		},
		{
			name: "imgselect and imgargs take a URI", text: "#!ipxe\nimgargs --name l m one\nimgselect k one two\nimgfree l\nboot", want: with("one two"),
		},
		{
			name: "a name that controls the console", text: "#!ipxe\nkernel a%1b%0Ab\nboot",
			want: entry.Entry{ID: "a%1b%0Ab", Kernel: entry.File{Name: dir + "a%1b%0Ab"}},
		},
		{
			name: "counting", text: "#!ipxe\nset n:int8 1\n:again\ninc n\niseq ${n} 3 || goto again\ninc fresh\ninc fresh 0x10\nset u:uint8 0xff\ninc u 2\n" +
				"set s:int8 127\ninc s\nset t 5\ninc t ||\ninc t:int32\nset w:uint16 10\nset v:int8 x ||\nkernel k ${n} ${fresh} ${u} ${s} ${t} ${w} ${w:int8} ${w:hex} ${v}${none:int8}.\nboot",
			want: with("3 17 0x1 -128 54 0xa 10 00:0a ."), notes: 2,
		},
		{
			name: "showing", text: "#!ipxe\nset x\nshow --quiet x && show ip && show mac:hex && kernel k ||\nshow none || imgargs k a\ncertstat\nboot",
			want: with("a"), notes: 1,
		},
		{
			name: "a shim is no initrd", text: "#!ipxe\nkernel k\nimgfetch shimx64.efi\nshim shimx64.efi || goto failed\nshim -s other.efi && initrd i\nshim\nboot\n:failed\n",
			want: entry.Entry{ID: "k", Kernel: entry.File{Name: dir + "k"}, Initrds: loadertest.URLs(dir + "i")},
		},
		{
			name: "images of one name", text: "#!ipxe\nkernel k\ninitrd a/k\ninitrd b/k\ninitrd b/k\nboot",
			want: entry.Entry{ID: "k", Kernel: entry.File{Name: dir + "k"}, Initrds: loadertest.URLs(dir+"a/k", dir+"b/k", dir+"b/k")},
		},
		{
			name: "the selected image is gone", text: "#!ipxe\nkernel k\nimgfree k\nkernel l || \nimgfree\nboot || kernel k\nboot", want: simple, notes: 1,
		},
		{
			name: "arguments that make no archive", text: "#!ipxe\nkernel k\ninitrd a ${none} b\ninitrd c // mode=755\nboot",
			want: entry.Entry{ID: "k", Kernel: entry.File{Name: dir + "k"}, Initrds: loadertest.URLs(dir+"a", dir+"c")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &loadertest.Site{Files: tt.files}
			client := loadertest.Client("tftp://192.0.2.1/f")
			client.Settings = map[string]string{
				"gateway": "192.0.2.254", "netmask": "255.255.255.0", "dns": "198.51.100.53", "hostname": "node7", "dhcp-server": "192.0.2.9",
			}
			c, err := (&Machine{client, "amd64", s.Read}).Run(t.Context(), scriptURL, []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]entry.Entry{tt.want}, c.Entries, cmp.AllowUnexported(entry.Volume{})); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			if len(c.Notes) != tt.notes {
				t.Errorf("notes %q, want %d", c.Notes, tt.notes)
			}
		})
	}
}

// TestIPXEUnbooted: a script that ends after it has loaded a kernel is offered, but
// is not the default.
func TestIPXEUnbooted(t *testing.T) {
	const dir = "http://boot.example.org/ipxe/"
	for _, text := range []string{"kernel k a\ninitrd i\n", "kernel k a\ninitrd i\nexit 0\nboot\n", "chain other\ninitrd i\n"} {
		s := &loadertest.Site{Files: map[string]string{dir + "other": "#!ipxe\nkernel k a\n"}}
		c, err := (&Machine{loadertest.Client(""), "amd64", s.Read}).Run(t.Context(), scriptURL, []byte("#!ipxe\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		want := []entry.Entry{{ID: "k", Kernel: entry.File{Name: dir + "k"}, Initrds: loadertest.URLs(dir + "i"), Cmdline: "a"}}
		if diff := cmp.Diff(want, c.Entries, cmp.AllowUnexported(entry.Volume{})); diff != "" || c.Default != entry.Elsewhere || len(c.Notes) != 1 {
			t.Errorf("%q: default %d, notes %q\n%s", text, c.Default, c.Notes, diff)
		}
	}
}

// TestIPXETree: iPXE has fdt where machines have device trees.
func TestIPXETree(t *testing.T) {
	const dir = "http://boot.example.org/ipxe/"
	for _, tt := range []struct{ text, arch, want string }{
		{"fdt a.dtb\n", "arm64", dir + "a.dtb"},
		{"imgfetch --name d x/a.dtb\nfdt --timeout 5 d\n", "riscv64", dir + "x/a.dtb"},
		{"fdt a.dtb\nfdt b.dtb\n", "arm64", dir + "b.dtb"},
		{"fdt a.dtb\nfdt\n", "arm64", ""},
		{"fdt a.dtb\nimgfree a.dtb\n", "arm64", ""},
		{"fdt a.dtb ||\n", "amd64", ""},
	} {
		c, err := (&Machine{loadertest.Client(""), tt.arch, (&loadertest.Site{}).Read}).Run(t.Context(), scriptURL, []byte("#!ipxe\nkernel k\n"+tt.text+"boot\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if tree := c.Entries[0].DeviceTree; tree != nil {
			got = tree.Name
		}
		if got != tt.want || len(c.Entries[0].Initrds) > 0 {
			t.Errorf("%q: %q, want %q; initrds %v", tt.text, got, tt.want, c.Entries[0].Initrds)
		}
	}
}

func TestIPXEHostile(t *testing.T) {
	chain := func(i int) string { return fmt.Sprintf("http://boot.example.org/ipxe/%d", i) }
	deep := map[string]string{}
	for i := range 20 {
		deep[chain(i)] = fmt.Sprintf("#!ipxe\nchain %d\n", i+1)
	}
	tests := []struct {
		name, text string
		files      map[string]string
		part       string // of the error
	}{
		{"ends", "#!ipxe\nimgfetch k\n", nil, "without booting"},
		{"ends with what is no Linux", "#!ipxe\nkernel memdisk\n", nil, "without booting"},
		{"fails with a kernel", "#!ipxe\nkernel k\nfrobnicate\n", nil, "no such command"},
		{"boots nothing", "#!ipxe\nboot\n", nil, "boot.ipxe:2: boot: command failed: no image"},
		{"exits", "#!ipxe\nexit 1\nkernel k\nboot", nil, "status 1"},
		{"unknown command", "#!ipxe\nfrobnicate\nkernel k\nboot", nil, "boot.ipxe:2: frobnicate: command failed: no such"},
		{"for ever", "#!ipxe\n:a\ngoto a\n", nil, "more than 10000 steps"},
		{"for ever with words", "#!ipxe\n:a\nset x ${x}y\ngoto a\n", nil, "bytes are expanded"},
		{"long lines for ever", "#!ipxe\n:a\necho" + strings.Repeat(" a", 8000) + "\ngoto a\n", nil, "bytes are expanded"},
		{"chains to itself", "#!ipxe\nchain boot.ipxe", map[string]string{scriptURL: "#!ipxe\nchain boot.ipxe ||"}, "too many scripts"},
		{"chains deep", "#!ipxe\nchain 0", deep, "too many scripts"},
		{"chains for ever", "#!ipxe\n:a\nchain x\ngoto a", map[string]string{"http://boot.example.org/ipxe/x": "#!ipxe\n"}, "too many scripts"},
		{"chains to text", "#!ipxe\nchain x", map[string]string{"http://boot.example.org/ipxe/x": "hello"}, "neither"},
		{"grows", "#!ipxe\nset x aaaaaaaa\n:a\nset x ${x}${x}\ngoto a\n", nil, "a word of more than"},
		{"names itself", "#!ipxe\nset x x\nset y {x}\nset z $${y}\nset x $${y}b\nkernel ${x}\nexit 1", nil, ""},
		{"long line", "#!ipxe\nset x " + strings.Repeat("a", maxLine), nil, "a line of more than"},
		{"long continued line", "#!ipxe\n" + strings.Repeat("set x aaaaaaaa\\\n", 5000), nil, ""},
		{"many variables", "#!ipxe\nset x a\n:a\nset x ${x}a\nset ${x} 1\ngoto a", nil, "too many variables"},
		{"many images", "#!ipxe\nset x a\n:a\nset x ${x}a\ninitrd ${x}\ngoto a", nil, "too many images"},
		{"many items", "#!ipxe\n:a\nitem a\ngoto a", nil, "too many items"},
		{"junk", "#!ipxe\n\x1b[2J", nil, "line 2: control character"},
		{"gigantic", "#!ipxe\n" + strings.Repeat("#", entry.MaxConfig), nil, "more than"},
		{"file on this machine", "#!ipxe\nkernel file:///etc/passwd\nboot", nil, "no URI"},
		{"local disk", "#!ipxe\nsanboot --no-describe --drive 0x80 || kernel k\nboot", nil, "sanboot: boots no Linux"},
		{"menu whose default is to leave", "#!ipxe\nmenu\nitem a A\nitem x Exit\nchoose -d x y && goto ${y}\n:a\nkernel k\nboot\n:x\nexit\n", nil,
			"without booting; of its last menu the default was taken: x"},
		{"emulator", "#!ipxe\nkernel memdisk iso\ninitrd live.iso\nboot || kernel k\nboot", nil, "memdisk is no Linux kernel"},
		{"another iPXE", "#!ipxe\nchain ipxe.kpxe || kernel k\nboot", map[string]string{"http://boot.example.org/ipxe/ipxe.kpxe": "\x7f"}, "ipxe.kpxe is no Linux kernel"},
		{"archive", "#!ipxe\nkernel k\ninitrd i /etc/b mode=755\nboot || kernel l\nboot", nil, "boot: image i has a name for an archive"},
		{"archive of a file in the root", "#!ipxe\nkernel k\ninitrd i b\nboot", nil, "boot: image i has a name for an archive"},
		{"empty menu", "#!ipxe\nmenu\nchoose x", nil, "no menu"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &loadertest.Site{Files: tt.files}
			c, err := (&Machine{loadertest.Client(""), "amd64", s.Read}).Run(t.Context(), scriptURL, []byte(tt.text))
			if c != nil || !errors.Is(err, entry.ErrConfig) || !strings.Contains(err.Error(), tt.part) || !strings.Contains(err.Error(), scriptURL) {
				t.Errorf("Run = %v, %v, want ErrConfig with %q and the URL", c, err, tt.part)
			}
			if len(s.Asked) > maxFiles {
				t.Errorf("asked for %d files", len(s.Asked))
			}
		})
	}
}

// TestIPXEArch: a script sees the machine's architecture.
func TestIPXEArch(t *testing.T) {
	const text = "#!ipxe\ncpuid --ext 29 && set bits 64 || set bits 32\ncpuid -e 1 && exit 1 ||\n" +
		"kernel ${buildarch}/${platform}/${bits}\nboot\n"
	for arch, want := range map[string]string{
		"386": "i386/efi/32", "amd64": "x86_64/efi/64", "arm": "arm32/efi/32", "arm64": "arm64/efi/32", "loong64": "loong64/efi/32",
		"ppc64le": "ppc64le/efi/32", "riscv64": "riscv64/efi/32", "s390x": "s390x/efi/32",
	} {
		c, err := (&Machine{loadertest.Client(""), arch, (&loadertest.Site{}).Read}).Run(t.Context(), scriptURL, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := strings.CutPrefix(c.Entries[0].Kernel.Name, "http://boot.example.org/ipxe/"); got != want || len(c.Notes) > 0 {
			t.Errorf("%s: %q, want %q; notes %q", arch, got, want, c.Notes)
		}
	}
}

// TestIPXETimeout: the first menu's time counts.
func TestIPXETimeout(t *testing.T) {
	const menu = "#!ipxe\nmenu\nitem k Linux\n"
	tests := []struct{ text, want string }{
		{"#!ipxe\nkernel k\nboot", "<nil>"},
		{menu + "choose --keep --timeout 2500 x\nchoose -t 1 x\nboot ${x}", "2.5s"},
		{menu + "choose x\nboot ${x}", "-1ns"}, {menu + "choose -t 0 x\nboot ${x}", "-1ns"}, {menu + "choose --timeout ${none} x\nboot ${x}", "-1ns"},
	}
	for _, tt := range tests {
		s := &loadertest.Site{Files: map[string]string{"http://boot.example.org/ipxe/k": "\x7f"}}
		c, err := (&Machine{loadertest.Client(""), "amd64", s.Read}).Run(t.Context(), scriptURL, []byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.Timeout); c.Timeout != nil && c.Timeout.String() != tt.want || c.Timeout == nil && got != tt.want {
			t.Errorf("%q: timeout %v, want %s", tt.text, c.Timeout, tt.want)
		}
	}
}

// TestIPXECanceled: the context's end ends a script, which cannot catch it.
func TestIPXECanceled(t *testing.T) {
	for _, text := range []string{"#!ipxe\n:a\ngoto a\n", "#!ipxe\nchain x || kernel k\nboot\n", "#!ipxe\n:a\nset x y\nchain x ||\ngoto a\n"} {
		ctx, cancel := context.WithCancel(t.Context())
		steps := 0
		read := func(context.Context, string) ([]byte, error) {
			steps++
			cancel()
			return []byte("#!ipxe\necho\n"), nil
		}
		if !strings.Contains(text, "chain") {
			cancel()
		}
		c, err := (&Machine{loadertest.Client(""), "amd64", read}).Run(ctx, scriptURL, []byte(text))
		if c != nil || !errors.Is(err, context.Canceled) || steps > 1 {
			t.Errorf("%q: %v, %v, %d downloads", text, c, err, steps)
		}
	}
}

func TestOptions(t *testing.T) {
	opts, rest := options([]string{"--name=a", "-t", "5", "-ar", "--keep", "--", "-x", "y"}, ofImages)
	want := map[string]string{"name": "a", "timeout": "5", "a": "", "r": "", "keep": ""}
	if diff := cmp.Diff(want, opts); diff != "" || !slices.Equal(rest, []string{"-x", "y"}) {
		t.Errorf("rest %q, options (-want +got):\n%s", rest, diff)
	}
	if _, rest := options([]string{"uri", "-n", "x"}, ofImages); len(rest) != 3 {
		t.Errorf("rest %q: options end at the first argument", rest)
	}
}

func FuzzIPXE(f *testing.F) {
	f.Add("set a ${net0/mac:hexhyp}\nkernel k ${a}\ninitrd i\nboot", "kernel x")
	f.Add(":a\nchain --replace x && goto a || exit 1", "menu\nitem a A\nchoose b && boot ${b}")
	f.Add("kernel %00", "kernel a%0Ab")
	f.Add("iseq a ${b} || imgargs k x ; imgfree ; imgselect ${cwuri:uristring} # x\\\n", "goto ${ip:hexraw}")
	f.Fuzz(func(t *testing.T, text, chained string) {
		s := &loadertest.Site{Files: map[string]string{"http://boot.example.org/ipxe/x": "#!ipxe\n" + chained}}
		c, err := (&Machine{loadertest.Client(""), "amd64", s.Read}).Run(t.Context(), scriptURL, []byte("#!ipxe\n"+text))
		if err == nil {
			loadertest.CheckConfig(t, c)
		}
	})
}
