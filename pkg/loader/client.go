// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"context"
	"net"
	"net/url"
	"strings"
)

// A Client is this machine as boot loaders on the network know it: from its
// interface and from what a DHCP server said.
type Client struct {
	MAC net.HardwareAddr
	IP  net.IP
	// Server is the next server of DHCPv4, empty if there is none.
	Server string
	// BootFile is a URL, empty if the server named none.
	BootFile string
	// UUID is the machine's, in lower case; empty if it has none.
	UUID string
	// Settings are other options of DHCPv4, by iPXE's names (ipxe.org/cfg).
	Settings map[string]string
}

// A Reader downloads a text, as fetch.Fetcher.Text does.
type Reader func(ctx context.Context, url string) ([]byte, error)

// Directory returns the directory of a file on a server. It ends in a slash.
func Directory(file *url.URL) *url.URL {
	d := *file
	d.Path, d.RawPath, d.RawQuery, d.Fragment = file.Path[:strings.LastIndexByte(file.Path, '/')+1], "", "", ""
	return &d
}
