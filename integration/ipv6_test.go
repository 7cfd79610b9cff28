// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
)

// TestIPv6 boots from a network that supports only IPv6: the boot file's URL
// comes by DHCPv6, the script by TFTP, and the files that it names by HTTP.
func TestIPv6(t *testing.T) {
	t.Parallel()
	s := newServer(t, ppc64le, lab.Own4k)
	tftp := tftpDir(t, map[string]string{})
	wire, err := lab.NewWire(t.Context(), tftp, "tftp://%s/boot.ipxe")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := wire.Close(); err != nil {
			t.Error(err)
		}
	})
	if s.Listener, err = wire.Listen(); err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Close()
	base := fmt.Sprintf("http://%s:%d/", wire.Address, s.Listener.Addr().(*net.TCPAddr).Port)
	writeFile(t, tftp, "boot.ipxe", fmt.Sprintf("#!ipxe\nkernel %skernel %s\ninitrd %sinitrd\nboot\n", base, lab.Cmdline(ppc64le), base))
	r := runGuest(t, lab.Guest{CPUs: 1, Wire: wire, Stages: []lab.Stage{newNetFirmware(t, ppc64le, report, find("--from=net", "--no-menu"))},
		Devices: []string{
			"-netdev", "tap,id=n,script=no,downscript=no,ifname=" + wire.Name,
			"-device", "virtio-net-pci,romfile=,netdev=n",
		}})
	checkArrived(t, r, 2)
	t.Log(r.Console)
	if want := "eth0: fd00:1a::1"; !strings.Contains(r.Console, want) {
		t.Errorf("%q is not on the console", want)
	}
}
