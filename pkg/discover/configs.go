// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

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
// that cannot be read has no entries, and a note that says why. If nothing is
// offered, disks that were not read to their end have the rest of the time.
func configsOf(ctx context.Context, all entry.Volumes) []*entry.Config {
	out, late := readVolumes(ctx, all, all)
	offers := slices.ContainsFunc(out, func(c *entry.Config) bool { return len(c.Entries) > 0 })
	if offers || len(late) == 0 || ctx.Err() != nil {
		return out
	}
	again, _ := readVolumes(ctx, late, all)
	return append(again, out...)
}

// readVolumes reads the configurations of some of all volumes, and returns which of
// them were not read to their end.
//
// Each may take an equal part of the time that is left until ctx ends: one with
// endless configurations must not keep the others from being read. Those that are
// quick leave more to others.
func readVolumes(ctx context.Context, some, all entry.Volumes) (out []*entry.Config, late entry.Volumes) {
	room := map[*entry.Volume]int{}
	for _, v := range some {
		room[v] = maxBytes / len(some)
	}
	turns := 2 * len(some) // each volume has one for GRUB, and one for all others
	read := func(v *entry.Volume, parsers ...parser) (out []*entry.Config) {
		limited, cancel := turn(ctx, turns)
		defer cancel()
		turns--
		for _, o := range all { // a configuration may look up files on others
			o.Until(limited)
			defer o.Until(context.Background())
		}
		for _, p := range parsers {
			if c := parse(v, all, p); c != nil {
				room[v] = cut(c, room[v])
				out = append(out, c)
			}
			if v.Err() != nil {
				late = append(late, v)
				break
			}
		}
		return out
	}
	// GRUB's configuration may ask for BLS entries, on any volume. Then GRUB's
	// variables apply to them.
	first := map[*entry.Volume][]*entry.Config{}
	took := map[*entry.Volume]bool{}
	for _, v := range some {
		first[v] = read(v, parser{"grub", grub.Parse})
		for _, c := range first[v] {
			for _, from := range c.TookBLS {
				took[from] = true
			}
		}
	}
	for _, v := range some {
		rest := slices.DeleteFunc(parsers(), func(p parser) bool { return p.kind == "bls" && took[v] })
		out = append(append(out, first[v]...), read(v, rest...)...)
	}
	return out, slices.Compact(late)
}

// maxBytes bounds the texts of all entries together, in bytes: a disk can have 128
// partitions, each with as many entries as its configurations may make. Each volume
// has an equal part.
const maxBytes = 16 << 20

// cut leaves out entries that have more than room bytes, and returns what is left
// of the room.
func cut(c *entry.Config, room int) int {
	for i := range c.Entries {
		e := &c.Entries[i]
		room -= len(e.ID) + len(e.Title) + len(e.Cmdline) + len(e.Kernel.Name)
		for _, f := range e.Initrds {
			room -= len(f.Name)
		}
		if room >= 0 {
			continue
		}
		c.Notef("the entries of this disk have too many bytes: %d of %d are left out", len(c.Entries)-i, len(c.Entries))
		c.Entries = slices.Clone(c.Entries[:i]) // without the rest in memory
		if c.Default >= i {
			c.Default = entry.Elsewhere
		}
		return 0
	}
	return room
}

// errOver is why what a volume has is not read to its end.
var errOver = errors.New("the time to read this disk is over")

// turn is one of several equal parts of the time until ctx ends.
func turn(ctx context.Context, turns int) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, time.Until(end)/time.Duration(turns), errOver)
}

// parse returns nil if there is no such configuration.
func parse(v *entry.Volume, all entry.Volumes, p parser) *entry.Config {
	c, err := p.parse(v, all)
	late := v.Err()
	if c == nil && late == nil && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || c == nil {
		c = &entry.Config{Kind: p.kind, Source: v.Device, Default: entry.None}
	}
	if err != nil && late == nil {
		c.Notef("%v", err)
	}
	if late != nil {
		c.Notef("%s: not all of it is read: %v", p.kind, late)
	}
	return c
}
