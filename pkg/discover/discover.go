// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package discover brings together what loaders' configurations on all file
// systems offer.
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

// A parser reads one format from a file system; an error that wraps
// fs.ErrNotExist means that it has none.
type parser struct {
	kind  string
	parse func(*entry.Volume, entry.Volumes) (*entry.Config, error)
}

// parsers are what is asked besides GRUB, in the order in which their entries
// are offered.
func parsers() []parser {
	return []parser{
		{"bls", bls.ParseAmong}, {"syslinux", syslinux.Parse}, {"kboot", petitboot.Parse}, {"yaboot", yaboot.Parse}, {"zipl", zipl.Parse},
	}
}

// Configs are those of all volumes, in the volumes' order. What cannot be read
// is a configuration with no entries and a note that says why.
func Configs(all entry.Volumes) []*entry.Config {
	// GRUB may be told to take BLS entries, knows their variables, and may
	// be on another volume than they are.
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

// parse is nil where there is no such configuration.
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

// A Choice is an entry that is offered.
type Choice struct {
	entry.Entry
	Config *entry.Config
	// Default: the loader would boot it. The first configuration that boots
	// something by itself decides; if that is not offered, nothing is the
	// default.
	Default bool
}

// Choices are the entries of all configurations, each once.
func Choices(configs []*entry.Config) []Choice {
	var out []Choice
	at := map[string]int{}
	decided := false
	for _, c := range configs {
		for i := range c.Entries {
			e := &c.Entries[i]
			key := e.Key()
			if _, ok := at[key]; !ok {
				at[key], out = len(out), append(out, Choice{Entry: *e, Config: c})
			}
			if !decided && c.Default == i {
				out[at[key]].Default = true
			}
		}
		decided = decided || c.Default == entry.Elsewhere || (c.Default >= 0 && c.Default < len(c.Entries))
	}
	if len(out) > 0 && !decided {
		out[0].Default = true
	}
	return out
}
