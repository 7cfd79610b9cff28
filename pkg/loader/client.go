// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
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

// Get gets a file on the network: what is at its URL or, if the server does not
// have or does not give that, what is at the other URL.
func Get[T any](f entry.File, get func(url string) (T, error)) (T, error) {
	absent := func(err error) bool { return errors.Is(err, fetch.ErrNotFound) || errors.Is(err, fetch.ErrRefused) }
	got, err := get(f.Name)
	if f.Else == "" || !absent(err) {
		return got, err
	}
	other, otherErr := get(f.Else)
	if absent(otherErr) {
		return other, err // the first is where the file should be
	}
	return other, otherErr
}

// Directory returns the directory of a file on a server. It ends in a slash.
func Directory(file *url.URL) *url.URL {
	d := *file
	d.Path, d.RawPath, d.RawQuery, d.Fragment = file.Path[:strings.LastIndexByte(file.Path, '/')+1], "", "", ""
	return &d
}
