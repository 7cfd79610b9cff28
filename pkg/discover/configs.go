// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"errors"
	"io/fs"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader/bls"
	"github.com/imaboot/imaboot/pkg/loader/grub"
	"github.com/imaboot/imaboot/pkg/loader/petitboot"
	"github.com/imaboot/imaboot/pkg/loader/syslinux"
	"github.com/imaboot/imaboot/pkg/loader/yaboot"
	"github.com/imaboot/imaboot/pkg/loader/zipl"
)

// A parser reads one format from a file system. An error that wraps
// fs.ErrNotExist means that there is no such configuration.
type parser struct {
	kind  string
	parse func(*entry.Volume, entry.Volumes) (*entry.Config, error)
}

// parsers returns all parsers but GRUB's, in the order in which their entries
// are offered.
func parsers() []parser {
	return []parser{
		{"bls", bls.Parse}, {"syslinux", syslinux.Parse}, {"petitboot", petitboot.ParseNative}, {"kboot", petitboot.Parse},
		{"yaboot", yaboot.Parse}, {"zipl", zipl.Parse},
	}
}

// configsOf returns the configurations of all volumes, in the volumes' order. One
// that cannot be read has no entries, and a note that says why.
func configsOf(all entry.Volumes) []*entry.Config {
	// GRUB's configuration may ask for BLS entries, on any volume. Then GRUB's
	// variables apply to them.
	first := map[*entry.Volume]*entry.Config{}
	took := map[*entry.Volume]bool{}
	for _, v := range all {
		c := parse(v, all, parser{"grub", grub.Parse})
		if c == nil {
			continue
		}
		first[v] = c
		for _, from := range c.TookBLS {
			took[from] = true
		}
	}
	var out []*entry.Config
	for _, v := range all {
		if first[v] != nil {
			out = append(out, first[v])
		}
		for _, p := range parsers() {
			if p.kind == "bls" && took[v] {
				continue
			}
			if c := parse(v, all, p); c != nil {
				out = append(out, c)
			}
		}
	}
	return out
}

// parse returns nil if there is no such configuration.
func parse(v *entry.Volume, all entry.Volumes, p parser) *entry.Config {
	c, err := p.parse(v, all)
	if errors.Is(err, fs.ErrNotExist) && c == nil {
		return nil
	}
	if err != nil {
		c = &entry.Config{Kind: p.kind, Source: v.Device, Default: entry.None}
		c.Notef("%v", err)
	}
	return c
}
