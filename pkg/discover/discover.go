// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package discover brings together what loaders' configurations on all file
// systems offer.
package discover

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/imaboot/imaboot/pkg/bls"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/grub"
	"github.com/imaboot/imaboot/pkg/loaders"
)

// A parser reads one format from a file system; an error that wraps
// fs.ErrNotExist means that it has none.
type parser struct {
	kind  string
	parse func(*entry.Volume, entry.Volumes) (*entry.Config, error)
}

// parsers are in the order in which their entries are offered. GRUB is first,
// since it may be told to take BLS entries and knows their variables.
func parsers() []parser {
	out := []parser{
		{"grub", grub.Parse},
		{"bls", func(v *entry.Volume, _ entry.Volumes) (*entry.Config, error) { return bls.Parse(v, nil) }},
	}
	for _, f := range loaders.Formats {
		out = append(out, parser{f.Kind, f.Parse})
	}
	return out
}

// Configs are those of all volumes, in the volumes' order. What cannot be read
// is a configuration with no entries and a note that says why.
func Configs(all entry.Volumes) []*entry.Config {
	var out []*entry.Config
	for _, v := range all {
		for _, p := range parsers() {
			c, err := p.parse(v, all)
			if errors.Is(err, fs.ErrNotExist) && c == nil {
				continue
			}
			if err != nil {
				c = &entry.Config{Kind: p.kind, Source: v.Device, Default: -1}
				c.Notef("%v", err)
			}
			out = append(out, c)
		}
	}
	return out
}

// A Choice is an entry that is offered.
type Choice struct {
	entry.Entry
	Config *entry.Config
	// Default: the loader would boot it. The first configuration that names
	// a default decides.
	Default bool
}

// Choices are the entries of all configurations, each once.
func Choices(configs []*entry.Config) []Choice {
	var out []Choice
	decided := false
	for _, c := range configs {
		for i := range c.Entries {
			e := &c.Entries[i]
			isDefault := !decided && c.Default == i
			at := slices.IndexFunc(out, func(o Choice) bool { return o.Same(e) })
			if at < 0 {
				at, out = len(out), append(out, Choice{Entry: *e, Config: c})
			}
			out[at].Default = out[at].Default || isDefault
		}
		decided = decided || (c.Default >= 0 && c.Default < len(c.Entries))
	}
	if len(out) > 0 && !decided {
		out[0].Default = true
	}
	return out
}
