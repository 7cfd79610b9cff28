// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/loader"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"
	"github.com/u-root/u-root/pkg/dhclient"
	"github.com/vishvananda/netlink"
)

// A Lease is what a DHCP server told one interface.
type Lease struct {
	Interface string
	// Address is this machine's address with the prefix length of its
	// network. IP is the address alone.
	Address string
	IP      net.IP
	MAC     net.HardwareAddr
	// Server is DHCPv4's next server, or empty.
	Server string
	// BootFiles are URLs. The preferred one comes first.
	BootFiles []string
	// ConfigFile and PathPrefix are options 209 and 210 (RFC 5071).
	ConfigFile, PathPrefix string
	// UUID is the machine's UUID in lower case. It is empty if the machine
	// has none.
	UUID string
	// Settings holds further DHCPv4 options that a script may ask for, by
	// iPXE's names (ipxe.org/cfg). If an option has several addresses, the
	// setting is the first.
	Settings map[string]string

	lease dhclient.Lease
}

// Configure sets the interface's address and routes, and writes
// /etc/resolv.conf.
func (l *Lease) Configure() error {
	// An initramfs may lack the directory.
	if err := os.MkdirAll("/etc", 0o755); err != nil {
		return err
	}
	return l.lease.Configure()
}

// architecture is the type by which a machine describes itself to a DHCP server
// (option 93 of DHCPv4, 61 of DHCPv6; IANA's registry of processor architecture
// types). Petitboot and QEMU's s390-ccw send the same values. A PC says that it
// has a BIOS: servers then name PXELINUX, whose configuration can be booted, where
// an EFI client is given a program for EFI.
var architecture = map[string]iana.Arch{
	"amd64":   iana.INTEL_X86PC,
	"ppc64":   iana.PPC_OPAL,
	"ppc64le": iana.PPC_OPAL,
	"s390x":   iana.S390_BASIC,
}

const (
	// dhcpTimeout is the timeout of one request. There are dhcpTries
	// requests.
	dhcpTimeout = 5 * time.Second
	dhcpTries   = 4
	// linkTimeout is how long to wait for an interface's carrier, which
	// never comes without a cable.
	linkTimeout = 20 * time.Second
)

func config(arch string) dhclient.Config {
	c := dhclient.Config{
		Timeout: dhcpTimeout,
		Retries: dhcpTries,
		Modifiers4: []dhcpv4.Modifier{dhcpv4.WithRequestedOptions(
			dhcpv4.OptionPXELinuxConfigFile, dhcpv4.OptionPXELinuxPathPrefix,
			dhcpv4.OptionClasslessStaticRoute, dhcpv4.OptionHostName, dhcpv4.OptionRootPath)},
	}
	if a, ok := architecture[arch]; ok {
		c.Modifiers4 = append(c.Modifiers4, dhcpv4.WithOption(dhcpv4.OptClientArch(a)))
		c.Modifiers6 = append(c.Modifiers6, dhcpv6.WithArchType(a))
	}
	return c
}

// Leases brings up all Ethernet interfaces whose names match, and requests
// DHCPv4 and DHCPv6 leases on all of them at once. It closes the channel after
// the last lease, or when the context ends. It logs an interface that gets no
// lease; that is no error.
//
// u-root's client writes to the standard logger (package log), and offers no
// way to prevent that. A program that owns its standard logger can redirect it.
func Leases(ctx context.Context, match func(name string) bool, log func(string, ...any)) (<-chan *Lease, error) {
	all, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("network interfaces: %w", err)
	}
	var links []netlink.Link
	for _, link := range all {
		a := link.Attrs()
		if a.EncapType == "ether" && match(a.Name) {
			links = append(links, link)
		}
	}
	if len(links) == 0 {
		return nil, fmt.Errorf("no network interface")
	}
	uuid := systemUUID("/")
	results := dhclient.SendRequests(ctx, links, true, true, config(runtime.GOARCH), linkTimeout)
	leases := make(chan *Lease)
	go func() {
		defer close(leases)
		for {
			select {
			case r, ok := <-results:
				if !ok {
					return
				}
				if r.Err != nil {
					log("%s: %v: %v", r.Interface.Attrs().Name, r.Protocol, r.Err)
					continue
				}
				l := newLease(r.Lease, log)
				l.UUID = uuid
				select {
				case leases <- l:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return leases, nil
}

func newLease(from dhclient.Lease, log func(string, ...any)) *Lease {
	a := from.Link().Attrs()
	l := &Lease{Interface: a.Name, MAC: a.HardwareAddr, lease: from}
	switch p := from.(type) {
	case *dhclient.Packet4:
		l.IP, l.Address = p.P.YourIPAddr, p.Lease().String()
		l.fill4(p.P, log)
	case *dhclient.Packet6:
		if addr := p.Lease(); addr != nil {
			l.IP, l.Address = addr.IPv6Addr, addr.IPv6Addr.String()+"/128"
		}
		_, message := p.Message()
		l.addBootFile(message.Options.BootFileURL(), log)
	}
	return l
}

// fill4 reads the DHCPv4 options about booting. A boot file that is not a URL
// is on the next server; if there is none, on the server of option 66, on that
// in the header, or on the DHCP server.
func (l *Lease) fill4(p *dhcpv4.DHCPv4, log func(string, ...any)) {
	servers := []string{"", p.TFTPServerName(), p.ServerHostName, ""}
	if ip := p.ServerIPAddr; ip != nil && !ip.IsUnspecified() {
		servers[0] = ip.String()
	}
	if ip := p.ServerIdentifier(); ip != nil {
		servers[3] = ip.String()
	}
	for _, s := range servers {
		if host.MatchString(s) {
			l.Server = s
			break
		}
	}
	option := func(code dhcpv4.OptionCode) string {
		s := strings.TrimRight(string(p.Options.Get(code)), "\x00")
		if err := loader.CheckText([]byte(s)); err != nil {
			log("%s: DHCP option %v: %v", l.Interface, code, err)
			return ""
		}
		return s
	}
	l.Settings = map[string]string{}
	for name, code := range texts {
		if s := option(code); s != "" {
			l.Settings[name] = s
		}
	}
	for name, code := range addresses {
		if b := p.Options.Get(code); len(b) >= net.IPv4len {
			l.Settings[name] = net.IP(b[:net.IPv4len]).String()
		}
	}
	l.ConfigFile = option(dhcpv4.OptionPXELinuxConfigFile)
	l.PathPrefix = option(dhcpv4.OptionPXELinuxPathPrefix)
	l.addBootFile(option(dhcpv4.OptionBootfileName), log)
	l.addBootFile(p.BootFileName, log)
}

// texts and addresses map iPXE's names of settings to options.
var (
	texts = map[string]dhcpv4.OptionCode{
		"hostname": dhcpv4.OptionHostName, "domain": dhcpv4.OptionDomainName, "root-path": dhcpv4.OptionRootPath,
	}
	addresses = map[string]dhcpv4.OptionCode{
		"netmask": dhcpv4.OptionSubnetMask, "gateway": dhcpv4.OptionRouter, "dns": dhcpv4.OptionDomainNameServer,
		"dhcp-server": dhcpv4.OptionServerIdentifier,
	}
)

// host matches a host name or an IPv4 address.
var host = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z._-]*[0-9A-Za-z])?$`)

// addBootFile adds a URL. If name is not a URL, it is a file on the server.
func (l *Lease) addBootFile(name string, log func(string, ...any)) {
	if name == "" {
		return
	}
	u, err := bootFile(name, l.Server)
	if err != nil {
		log("%s: boot file %s: %v", l.Interface, entry.Printable(entry.Redact(name)), err)
		return
	}
	if !slices.Contains(l.BootFiles, u) {
		l.BootFiles = append(l.BootFiles, u)
	}
}

func bootFile(name, server string) (string, error) {
	if err := loader.CheckText([]byte(name)); err != nil {
		return "", err
	}
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		if !fetch.Loadable(u) {
			return "", fmt.Errorf("imaboot cannot load files from this URL")
		}
		return u.String(), nil
	}
	if server == "" {
		return "", fmt.Errorf("no server")
	}
	u := url.URL{Scheme: "tftp", Host: server, Path: path.Clean("/" + name)}
	if strings.HasSuffix(name, "/") && u.Path != "/" {
		u.Path += "/" // a directory: it only holds configurations
	}
	return u.String(), nil
}
