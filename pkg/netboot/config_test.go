// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"errors"
	"io/fs"
	"net"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/internal/testing/loadertest"
)

func testLease(bootFiles ...string) *Lease {
	return &Lease{
		Interface: "eth0", MAC: mac, IP: net.IPv4(192, 0, 2, 77), Address: "192.0.2.77/24",
		Server: "192.0.2.1", BootFiles: bootFiles, UUID: loadertest.UUID,
	}
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
			name:  "script that does not boot what it loads",
			files: map[string]string{dir + "boot": "#!ipxe\nkernel vmlinuz\n"},
			kind:  "ipxe", source: dir + "boot", kernel: dir + "vmlinuz",
		},
		{
			name:  "script behind a boot file that is missing",
			files: map[string]string{"http://h/b": "#!gpxe\nkernel vmlinuz\nboot\n"}, change: func(l *Lease) { l.BootFiles = append(l.BootFiles, "http://h/b") },
			kind: "ipxe", source: "http://h/b", kernel: "http://h/vmlinuz",
		},
		{
			name:  "PXELINUX by UUID",
			files: map[string]string{dir + "pxelinux.cfg/" + loadertest.UUID: smallPXELINUX, dir + "pxelinux.cfg/default": "#"},
			kind:  "pxelinux", source: dir + "pxelinux.cfg/" + loadertest.UUID, kernel: dir + "vmlinuz",
		},
		{
			name:  "PXELINUX by address, and a boot file that is a program",
			files: map[string]string{dir + "boot": "\x7fELF\x02\x01", dir + "pxelinux.cfg/C000024": smallPXELINUX},
			kind:  "pxelinux", source: dir + "pxelinux.cfg/C000024", kernel: dir + "vmlinuz",
		},
		{
			name:  "refused ones are passed over",
			files: map[string]string{dir + "boot": "!refused", dir + "pxelinux.cfg/" + loadertest.UUID: "!refused", dir + "pxelinux.cfg/default": smallPXELINUX},
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
			name:   "option 209 with a slash",
			change: func(l *Lease) { l.ConfigFile = "/cfg" },
			files:  map[string]string{dir + "cfg": smallPXELINUX, "tftp://192.0.2.1/cfg": "label wrong\nkernel k\n"},
			kind:   "pxelinux", source: dir + "cfg", kernel: dir + "vmlinuz",
		},
		{
			name:   "option 209 from the root of the server",
			change: func(l *Lease) { l.ConfigFile = "/cfg" },
			files:  map[string]string{"tftp://192.0.2.1/cfg": smallPXELINUX},
			kind:   "pxelinux", source: "tftp://192.0.2.1/cfg", kernel: dir + "vmlinuz",
		},
		{
			name:   "option 209 is a URL, for Petitboot",
			change: func(l *Lease) { l.ConfigFile, l.BootFiles = "http://h/node/conf", nil },
			files:  map[string]string{"http://h/node/conf": smallPXELINUX},
			kind:   "pxelinux", source: "http://h/node/conf", kernel: "http://h/node/vmlinuz",
		},
		{
			name:   "option 209 is a URL, and no server is known",
			change: func(l *Lease) { *l = Lease{ConfigFile: "http://h/node/conf"} },
			files:  map[string]string{"http://h/node/conf": smallPXELINUX},
			kind:   "pxelinux", source: "http://h/node/conf", kernel: "http://h/node/vmlinuz",
		},
		{
			name:   "option 209 is a URL, and option 210 a path",
			change: func(l *Lease) { l.ConfigFile, l.PathPrefix, l.BootFiles = "http://h/node/conf", "/pxe/", nil },
			files:  map[string]string{"http://h/node/conf": smallPXELINUX},
			kind:   "pxelinux", source: "http://h/node/conf", kernel: "tftp://192.0.2.1/pxe/vmlinuz",
		},
		{
			name:   "option 209 is a URL, and option 210 a path on no known server",
			change: func(l *Lease) { *l = Lease{ConfigFile: "http://h/node/conf", PathPrefix: "pxe/"} },
			files:  map[string]string{"http://h/node/conf": smallPXELINUX},
			kind:   "pxelinux", source: "http://h/node/conf", kernel: "http://h/pxe/vmlinuz",
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
		{name: "silent later", files: map[string]string{dir + "pxelinux.cfg/" + loadertest.UUID: "!timeout"}, err: fetch.ErrTimeout},
		{name: "junk", files: map[string]string{dir + "pxelinux.cfg/default": "label a\n\x1b[2J\n"}, err: entry.ErrConfig},
		{name: "prefix is none", change: func(l *Lease) { l.ConfigFile, l.PathPrefix = "x", "a%zz" }, err: entry.ErrConfig},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := testLease(dir + "boot")
			if tt.change != nil {
				tt.change(l)
			}
			c, err := Configs(t.Context(), l, (&loadertest.Site{Files: tt.files}).Read)
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
	s := &loadertest.Site{}
	Configs(t.Context(), testLease("http://h/p/boot"), s.Read)
	want := []string{"http://h/p/boot"}
	for _, n := range []string{loadertest.UUID, "01-52-54-00-12-ab-56", "C000024D", "C000024", "C00002", "C0000", "C000", "C00", "C0", "C", "default"} {
		want = append(want, "http://h/p/pxelinux.cfg/"+n)
	}
	if diff := cmp.Diff(want, s.Asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	l := testLease("http://h/boot")
	l.IP, l.UUID = net.ParseIP("2001:db8::1"), ""
	if got := pxelinuxNames(l); !slices.Equal(got, []string{"pxelinux.cfg/01-52-54-00-12-ab-56", "pxelinux.cfg/default"}) {
		t.Errorf("names with IPv6: %q", got)
	}
}
