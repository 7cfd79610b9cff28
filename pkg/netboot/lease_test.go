// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/loader"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"
	"github.com/u-root/u-root/pkg/dhclient"
	"github.com/vishvananda/netlink"
)

var (
	mac  = net.HardwareAddr{0x52, 0x54, 0, 0x12, 0xab, 0x56}
	link = &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: "eth0", HardwareAddr: mac}}
)

func TestLease4(t *testing.T) {
	text := func(code uint8, s string) dhcpv4.Modifier {
		return dhcpv4.WithGeneric(dhcpv4.GenericOptionCode(code), []byte(s))
	}
	file := func(s string) dhcpv4.Modifier { return func(p *dhcpv4.DHCPv4) { p.BootFileName = s } }
	name := func(s string) dhcpv4.Modifier { return func(p *dhcpv4.DHCPv4) { p.ServerHostName = s } }
	next := dhcpv4.WithServerIP(net.IPv4(192, 0, 2, 1))
	id := dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(192, 0, 2, 9)))
	tests := []struct {
		name      string
		modifiers []dhcpv4.Modifier
		want      Lease
		logs      int
	}{
		{"nothing", nil, Lease{}, 0},
		{"file on the next server", []dhcpv4.Modifier{next, id, file("ppc64le/vmlinuz")},
			Lease{Server: "192.0.2.1", BootFiles: []string{"tftp://192.0.2.1/ppc64le/vmlinuz"}}, 0},
		{"option 67 first, and option 66", []dhcpv4.Modifier{id, text(66, "boot.example.org\x00"), text(67, "/grub/core.elf\x00"), file("pxelinux.0")},
			Lease{Server: "boot.example.org", BootFiles: []string{"tftp://boot.example.org/grub/core.elf", "tftp://boot.example.org/pxelinux.0"}}, 0},
		{"twice the same", []dhcpv4.Modifier{next, text(67, "x"), file("/x")},
			Lease{Server: "192.0.2.1", BootFiles: []string{"tftp://192.0.2.1/x"}}, 0},
		{"server's name in the header", []dhcpv4.Modifier{id, name("tftp1"), file("x/")},
			Lease{Server: "tftp1", BootFiles: []string{"tftp://tftp1/x/"}}, 0},
		{"only the DHCP server", []dhcpv4.Modifier{id, file("x")},
			Lease{Server: "192.0.2.9", BootFiles: []string{"tftp://192.0.2.9/x"}}, 0},
		{"URL", []dhcpv4.Modifier{next, file("https://boot.example.org/boot.ipxe?mac=1")},
			Lease{Server: "192.0.2.1", BootFiles: []string{"https://boot.example.org/boot.ipxe?mac=1"}}, 0},
		{"PXELINUX's options", []dhcpv4.Modifier{next, text(209, "conf/${mac}"), text(210, "http://192.0.2.1/pxe/\x00")},
			Lease{Server: "192.0.2.1", ConfigFile: "conf/${mac}", PathPrefix: "http://192.0.2.1/pxe/"}, 0},
		{"no server", []dhcpv4.Modifier{file("x")}, Lease{}, 1},
		{"server's name is none", []dhcpv4.Modifier{text(66, "evil@host/"), file("x")}, Lease{}, 1},
		{"control characters", []dhcpv4.Modifier{next, text(67, "\x1b[2J"), text(209, "a\x00b"), file("x\x07")},
			Lease{Server: "192.0.2.1"}, 3},
		{"a URL of another kind", []dhcpv4.Modifier{next, file("nfs://192.0.2.1/x")}, Lease{Server: "192.0.2.1"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := []dhcpv4.Modifier{dhcpv4.WithYourIP(net.IPv4(192, 0, 2, 77)), dhcpv4.WithNetmask(net.CIDRMask(24, 32))}
			p, err := dhcpv4.New(append(base, tt.modifiers...)...)
			if err != nil {
				t.Fatal(err)
			}
			var logs []string
			got := newLease(dhclient.NewPacket4(link, p), func(format string, args ...any) {
				logs = append(logs, fmt.Sprintf(format, args...))
			})
			want := tt.want
			want.Interface, want.MAC, want.IP, want.Address = "eth0", mac, net.IPv4(192, 0, 2, 77), "192.0.2.77/24"
			if diff := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(Lease{}), cmpopts.IgnoreFields(Lease{}, "Settings")); diff != "" {
				t.Errorf("lease (-want +got):\n%s", diff)
			}
			if len(logs) != tt.logs {
				t.Errorf("logged %q, want %d lines", logs, tt.logs)
			}
			for _, l := range logs {
				if err := loader.CheckText([]byte(l)); err != nil {
					t.Errorf("log %q: %v", l, err)
				}
			}
		})
	}
}

// TestSettings: scripts can ask for texts, and for the first of several
// addresses.
func TestSettings(t *testing.T) {
	p, err := dhcpv4.New(
		dhcpv4.WithNetmask(net.CIDRMask(20, 32)), dhcpv4.WithRouter(net.IPv4(192, 0, 2, 254), net.IPv4(192, 0, 2, 253)),
		dhcpv4.WithDNS(net.IPv4(198, 51, 100, 53)), dhcpv4.WithOption(dhcpv4.OptHostName("node7")),
		dhcpv4.WithOption(dhcpv4.OptDomainName("example.org\x00")), dhcpv4.WithOption(dhcpv4.OptRootPath("iscsi:\x1b[2J")),
		dhcpv4.WithGeneric(dhcpv4.OptionServerIdentifier, []byte{192}),
	)
	if err != nil {
		t.Fatal(err)
	}
	got := newLease(dhclient.NewPacket4(link, p), t.Logf).Settings
	want := map[string]string{
		"netmask": "255.255.240.0", "gateway": "192.0.2.254", "dns": "198.51.100.53", "hostname": "node7", "domain": "example.org",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestLease6(t *testing.T) {
	ip := net.ParseIP("2001:db8::77")
	for _, tt := range []struct {
		url  string
		want []string
		logs int
	}{
		{"tftp://[2001:db8::1]/vmlinuz", []string{"tftp://[2001:db8::1]/vmlinuz"}, 0},
		{"http://boot.example.org/boot.ipxe", []string{"http://boot.example.org/boot.ipxe"}, 0},
		{"", nil, 0},
		{"vmlinuz", nil, 1}, // RFC 5970 permits only URLs
		{"ftp://user:secret@[2001:db8::1]/vmlinuz", nil, 1},
	} {
		m, err := dhcpv6.NewMessage(dhcpv6.WithIANA(dhcpv6.OptIAAddress{IPv6Addr: ip}), dhcpv6.WithOption(dhcpv6.OptBootFileURL(tt.url)))
		if err != nil {
			t.Fatal(err)
		}
		logs := 0
		got := newLease(dhclient.NewPacket6(link, m), func(format string, args ...any) {
			logs++
			if text := fmt.Sprintf(format, args...); strings.Contains(text, "secret") {
				t.Errorf("%q shows the password", text)
			}
		})
		want := &Lease{Interface: "eth0", MAC: mac, IP: ip, Address: "2001:db8::77/128", BootFiles: tt.want}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Lease{})); diff != "" || logs != tt.logs {
			t.Errorf("%q: %d logs, lease (-want +got):\n%s", tt.url, logs, diff)
		}
	}
	m, _ := dhcpv6.NewMessage()
	if got := newLease(dhclient.NewPacket6(link, m), t.Logf); got.Address != "" || got.BootFiles != nil {
		t.Errorf("lease of an empty message: %+v", got)
	}
}

func TestArchitecture(t *testing.T) {
	for arch, want := range map[string][]iana.Arch{"ppc64le": {0x0e}, "s390x": {0x1f}, "amd64": {0}, "arm64": nil} {
		c := config(arch)
		p, err := dhcpv4.NewDiscovery(mac, c.Modifiers4...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, p.ClientArch()); diff != "" {
			t.Errorf("%s: DHCPv4 architecture (-want +got):\n%s", arch, diff)
		}
		for _, code := range []dhcpv4.OptionCode{
			dhcpv4.OptionPXELinuxConfigFile, dhcpv4.OptionPXELinuxPathPrefix, dhcpv4.OptionHostName, dhcpv4.OptionRootPath,
			dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer, dhcpv4.OptionDomainName,
		} {
			if !p.IsOptionRequested(code) {
				t.Errorf("%s: %v is not asked for", arch, code)
			}
		}
		m, err := dhcpv6.NewSolicit(mac, c.Modifiers6...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, []iana.Arch(m.Options.ArchTypes())); diff != "" {
			t.Errorf("%s: DHCPv6 architecture (-want +got):\n%s", arch, diff)
		}
	}
}

func TestSystemUUID(t *testing.T) {
	const uuid = "4c4c4544-0035-3010-8048-b4c04f4d3132"
	for _, tt := range []struct{ file, content, want string }{
		{"sys/class/dmi/id/product_uuid", "4C4C4544-0035-3010-8048-B4C04F4D3132\n", uuid},
		{"proc/device-tree/vm,uuid", uuid + "\x00", uuid},
		{"proc/sysinfo", "VM00 Name:            guest\nVM00 UUID:            " + uuid + "\n", uuid},
		{"proc/sysinfo", "Manufacturer:         IBM\n", ""},
		{"sys/class/dmi/id/product_uuid", "../../etc/passwd\n", ""},
	} {
		root := fileroot.New(t, map[string]string{tt.file: tt.content})
		if got := systemUUID(root); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.file, got, tt.want)
		}
	}
}
