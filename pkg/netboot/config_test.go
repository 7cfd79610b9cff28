// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
)

const uuid = "4c4c4544-0035-3010-8048-b4c04f4d3132"

func testLease(bootFiles ...string) *Lease {
	return &Lease{
		Interface: "eth0", MAC: mac, IP: net.IPv4(192, 0, 2, 77), Address: "192.0.2.77/24",
		Server: "192.0.2.1", BootFiles: bootFiles, UUID: uuid,
	}
}

// site answers for servers: URL to content, or what begins with an exclamation
// mark to an error. It records what is asked for.
type site struct {
	files map[string]string
	asked []string
}

var siteErrors = map[string]error{"!refused": fetch.ErrRefused, "!timeout": fetch.ErrTimeout, "!big": fetch.ErrTooBig}

func (s *site) read(_ context.Context, url string) ([]byte, error) {
	s.asked = append(s.asked, url)
	content, have := s.files[url]
	err, isError := siteErrors[content]
	switch {
	case !have:
		return nil, fmt.Errorf("fetch %s: %w", url, fetch.ErrNotFound)
	case isError:
		return nil, fmt.Errorf("fetch %s: %w", url, err)
	}
	return []byte(content), nil
}

const smallPXELINUX = "label a\nkernel vmlinuz\n"

func TestConfigs(t *testing.T) {
	const dir = "tftp://192.0.2.1/ppc64le/"
	tests := []struct {
		name   string
		change func(*Lease)
		files  map[string]string
		kind   string
		source string
		kernel string
		err    error
	}{
		{
			name:  "script",
			files: map[string]string{dir + "boot": "#!ipxe\nkernel vmlinuz\nboot\n"},
			kind:  "ipxe", source: dir + "boot", kernel: dir + "vmlinuz",
		},
		{
			name:  "script behind a boot file that is missing",
			files: map[string]string{"http://h/b": "#!gpxe\nkernel vmlinuz\nboot\n"}, change: func(l *Lease) { l.BootFiles = append(l.BootFiles, "http://h/b") },
			kind: "ipxe", source: "http://h/b", kernel: "http://h/vmlinuz",
		},
		{
			name:  "PXELINUX by UUID",
			files: map[string]string{dir + "pxelinux.cfg/" + uuid: smallPXELINUX, dir + "pxelinux.cfg/default": "#"},
			kind:  "pxelinux", source: dir + "pxelinux.cfg/" + uuid, kernel: dir + "vmlinuz",
		},
		{
			name:  "PXELINUX by address, and a boot file that is a program",
			files: map[string]string{dir + "boot": "\x7fELF\x02\x01", dir + "pxelinux.cfg/C000024": smallPXELINUX},
			kind:  "pxelinux", source: dir + "pxelinux.cfg/C000024", kernel: dir + "vmlinuz",
		},
		{
			name:  "refused ones are passed over",
			files: map[string]string{dir + "boot": "!refused", dir + "pxelinux.cfg/" + uuid: "!refused", dir + "pxelinux.cfg/default": smallPXELINUX},
			kind:  "pxelinux", source: dir + "pxelinux.cfg/default", kernel: dir + "vmlinuz",
		},
		{
			name:   "directory",
			change: func(l *Lease) { l.BootFiles = []string{dir} },
			files:  map[string]string{dir + "pxelinux.cfg/default": smallPXELINUX},
			kind:   "pxelinux", source: dir + "pxelinux.cfg/default", kernel: dir + "vmlinuz",
		},
		{
			name:  "boot file is a configuration",
			files: map[string]string{dir + "boot": "# PXELINUX\n" + smallPXELINUX},
			kind:  "pxelinux", source: dir + "boot", kernel: dir + "vmlinuz",
		},
		{
			name:   "options 209 and 210",
			change: func(l *Lease) { l.ConfigFile, l.PathPrefix = "cfg/host", "http://h/x/y-" },
			files:  map[string]string{"http://h/x/y-cfg/host": smallPXELINUX},
			kind:   "pxelinux", source: "http://h/x/y-cfg/host", kernel: "http://h/x/y-vmlinuz",
		},
		{
			name:   "option 209 is a URL",
			change: func(l *Lease) { l.ConfigFile = "http://h/cfg" },
			files:  map[string]string{"http://h/cfg": smallPXELINUX},
			kind:   "pxelinux", source: "http://h/cfg", kernel: dir + "vmlinuz",
		},
		{
			name:   "option 209 without a boot file",
			change: func(l *Lease) { l.ConfigFile, l.BootFiles = "cfg", nil },
			files:  map[string]string{"tftp://192.0.2.1/cfg": smallPXELINUX},
			kind:   "pxelinux", source: "tftp://192.0.2.1/cfg", kernel: "tftp://192.0.2.1/vmlinuz",
		},
		{
			name:   "option 209 is missing",
			change: func(l *Lease) { l.ConfigFile = "cfg" },
			files:  map[string]string{dir + "pxelinux.cfg/default": smallPXELINUX},
			kind:   "pxelinux", source: dir + "pxelinux.cfg/default", kernel: dir + "vmlinuz",
		},
		{
			name:   "option 210 is a path",
			change: func(l *Lease) { l.PathPrefix = "/pxe/" },
			files:  map[string]string{"tftp://192.0.2.1/pxe/pxelinux.cfg/default": smallPXELINUX},
			kind:   "pxelinux", source: "tftp://192.0.2.1/pxe/pxelinux.cfg/default", kernel: "tftp://192.0.2.1/pxe/vmlinuz",
		},
		{
			name:  "kernel",
			files: map[string]string{dir + "boot": "!big"},
			kind:  "url", source: dir + "boot", kernel: dir + "boot",
		},
		{
			name:  "small kernel",
			files: map[string]string{dir + "boot": "\x7fELF\x02\x01"},
			kind:  "url", source: dir + "boot", kernel: dir + "boot",
		},
		{
			name:   "PXELINUX itself is no kernel",
			change: func(l *Lease) { l.BootFiles = []string{dir + "pxelinux.0"} },
			files:  map[string]string{dir + "pxelinux.0": "\x00\x01"},
			err:    fs.ErrNotExist,
		},
		{
			name:   "nor is GRUB for Open Firmware",
			change: func(l *Lease) { l.BootFiles = []string{dir + "boot/grub2/powerpc-ieee1275/core.elf"} },
			files:  map[string]string{dir + "boot/grub2/powerpc-ieee1275/core.elf": "\x7fELF\x01\x02"},
			err:    fs.ErrNotExist,
		},
		{
			name:   "a kernel that is a program of EFI",
			change: func(l *Lease) { l.BootFiles = []string{dir + "vmlinuz.efi"} },
			files:  map[string]string{dir + "vmlinuz.efi": "MZ\x00"},
			kind:   "url", source: dir + "vmlinuz.efi", kernel: dir + "vmlinuz.efi",
		},
		{name: "nothing is there", err: fs.ErrNotExist},
		{name: "a text", files: map[string]string{dir + "boot": "menuentry Linux {\n"}, err: fs.ErrNotExist},
		{name: "an empty file", files: map[string]string{dir + "boot": ""}, err: fs.ErrNotExist},
		{name: "nothing is named", change: func(l *Lease) { l.BootFiles = nil }, err: fs.ErrNotExist},
		{name: "no server", change: func(l *Lease) { *l = Lease{ConfigFile: "cfg"} }, err: fs.ErrNotExist},
		{name: "silent server", files: map[string]string{dir + "boot": "!timeout"}, err: fetch.ErrTimeout},
		{name: "silent later", files: map[string]string{dir + "pxelinux.cfg/" + uuid: "!timeout"}, err: fetch.ErrTimeout},
		{name: "junk", files: map[string]string{dir + "pxelinux.cfg/default": "label a\n\x1b[2J\n"}, err: entry.ErrConfig},
		{name: "prefix is none", change: func(l *Lease) { l.ConfigFile, l.PathPrefix = "x", "a%zz" }, err: entry.ErrConfig},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := testLease(dir + "boot")
			if tt.change != nil {
				tt.change(l)
			}
			c, err := Configs(t.Context(), l, (&site{files: tt.files}).read)
			if tt.err != nil {
				if c != nil || !errors.Is(err, tt.err) {
					t.Errorf("Configs = %+v, %v, want %v", c, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.Kind != tt.kind || c.Source != tt.source || len(c.Entries) != 1 || c.Entries[0].Kernel.Name != tt.kernel {
				t.Errorf("Configs = %+v", c)
			}
		})
	}
}

func TestPXELINUXNames(t *testing.T) {
	s := &site{}
	Configs(t.Context(), testLease("http://h/p/boot"), s.read)
	want := []string{"http://h/p/boot"}
	for _, n := range []string{uuid, "01-52-54-00-12-ab-56", "C000024D", "C000024", "C00002", "C0000", "C000", "C00", "C0", "C", "default"} {
		want = append(want, "http://h/p/pxelinux.cfg/"+n)
	}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	l := testLease("http://h/boot")
	l.IP, l.UUID = net.ParseIP("2001:db8::1"), ""
	if got := pxelinuxNames(l); !slices.Equal(got, []string{"pxelinux.cfg/01-52-54-00-12-ab-56", "pxelinux.cfg/default"}) {
		t.Errorf("names with IPv6: %q", got)
	}
}

func TestResolve(t *testing.T) {
	tests := []struct{ prefix, name, want string }{
		{"tftp://h/a/", "vmlinuz", "tftp://h/a/vmlinuz"},
		{"tftp://h/a/", "/vmlinuz", "tftp://h/vmlinuz"},
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
		got, err := resolve(mustParse(t, tt.prefix), tt.name)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("resolve(%q, %q) = %q, %v, want %q", tt.prefix, tt.name, got, err, tt.want)
		}
	}
}

func TestCheckText(t *testing.T) {
	for text, want := range map[string]string{
		"default linux\r\n\tkernel x\n": "",
		"men\xc3\xbc \xe4\n":            "",
		"a\nb\x00":                      "line 2",
		"\x1b[31m":                      "line 1",
		"\x7f":                          "line 1",
		strings.Repeat(" ", 2<<20):      "more than",
	} {
		err := checkText([]byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("checkText(%.20q) = %v, want %q", text, err, want)
		}
	}
}
