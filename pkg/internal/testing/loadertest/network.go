// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loadertest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/loader"
)

// UUID is that of Client's machine.
const UUID = "4c4c4544-0035-3010-8048-b4c04f4d3132"

// Client is a machine that has got a lease with a boot file, which may be
// empty.
func Client(bootFile string) *loader.Client {
	return &loader.Client{
		MAC: net.HardwareAddr{0x52, 0x54, 0, 0x12, 0xab, 0x56}, IP: net.IPv4(192, 0, 2, 77),
		Server: "192.0.2.1", BootFile: bootFile, UUID: UUID,
	}
}

// A Site answers for all servers.
type Site struct {
	// Files maps URLs to contents. Those of SiteErrors are errors.
	Files map[string]string
	// Asked are the URLs that were asked for, in order.
	Asked []string
}

// SiteErrors are contents of a Site that stand for errors.
var SiteErrors = map[string]error{"!refused": fetch.ErrRefused, "!timeout": fetch.ErrTimeout, "!big": fetch.ErrTooBig}

// Read is a loader.Reader.
func (s *Site) Read(_ context.Context, url string) ([]byte, error) {
	s.Asked = append(s.Asked, url)
	content, have := s.Files[url]
	err, isError := SiteErrors[content]
	switch {
	case !have:
		return nil, fmt.Errorf("fetch %s: %w", url, fetch.ErrNotFound)
	case isError:
		return nil, fmt.Errorf("fetch %s: %w", url, err)
	}
	return []byte(content), nil
}

// URLs are files on servers.
func URLs(names ...string) []entry.File {
	var all []entry.File
	for _, n := range names {
		all = append(all, entry.File{Name: n})
	}
	return all
}

// CheckConfig expects what holds for every configuration from the network.
func CheckConfig(t *testing.T, c *entry.Config) {
	t.Helper()
	if c.Default < entry.Elsewhere || c.Default >= len(c.Entries) {
		t.Errorf("default %d of %d", c.Default, len(c.Entries))
	}
	for _, e := range c.Entries {
		all := append([]entry.File{e.Kernel}, e.Initrds...)
		if e.DeviceTree != nil {
			all = append(all, *e.DeviceTree)
		}
		for _, file := range all {
			if u, err := url.Parse(file.Name); err != nil || u.Scheme == "" || u.Host == "" {
				t.Errorf("file %q: %v", file.Name, err)
			}
		}
		if err := loader.CheckText([]byte(e.Cmdline + e.Title + e.ID)); err != nil || strings.Contains(e.Cmdline, "\n") {
			t.Errorf("entry %q: %v", fmt.Sprint(e), err)
		}
	}
}
