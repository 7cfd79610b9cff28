// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package bls

import (
	"cmp"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// A Blscfg is what GRUB's command blscfg reads (blscfg.c of Fedora's and RHEL's
// GRUB, blsuki.c of newer ones).
type Blscfg struct {
	// Dir is where GRUB found entries, without a slash in front.
	Dir string
	// Usual: Parse would find the same directory.
	Usual bool
	// Items are in GRUB's order, which is that of file names.
	Items []Item
	// Notes say what was skipped, and why.
	Notes []string
}

// An Item is one line of GRUB's menu.
type Item struct {
	entry.Entry
	// Wrong is why the entry cannot be booted, or nil.
	Wrong error
}

// ParseBlscfg reads what blscfg offers. dir is a directory of entries or the
// file of one; if it is empty, it is that of the variable blsdir, or
// /loader/entries, or /boot/loader/entries. vars are GRUB's variables.
//
// An error that wraps fs.ErrNotExist means that there are no entries.
func ParseBlscfg(v *entry.Volume, dir string, vars map[string]string) (*Blscfg, error) {
	return parseBlscfg(v, dir, vars, runtime.GOARCH)
}

func parseBlscfg(v *entry.Volume, dir string, vars map[string]string, arch string) (*Blscfg, error) {
	at, names := findBlscfg(v, dir, vars["blsdir"])
	if len(names) == 0 {
		return nil, nothing(v, strings.Trim(cmp.Or(dir, directories[0]), "/"))
	}
	if vars == nil {
		vars = map[string]string{}
	}
	c := &entry.Config{}
	found := at.read(c, names, grub, newVariables(c, at, vars), arch)
	slices.SortStableFunc(found, func(a, b *snippet) int {
		return cmp.Or(isFirst(!a.rescue(), !b.rescue()), compareVersions(b.ID, a.ID), strings.Compare(a.ID, b.ID))
	})
	b := &Blscfg{Dir: at.dir}
	if is, _ := find(v, usual(v), systemd); is != nil {
		b.Usual = is.dir == at.dir
	}
	for _, s := range found {
		if s.wrong != nil && s.linux == "" && s.isRead {
			c.Notef("left out: %v", s.wrong) // GRUB does not show it
			continue
		}
		b.Items = append(b.Items, Item{s.Entry, s.wrong})
	}
	b.Notes = c.Notes
	return b, nil
}

func findBlscfg(v *entry.Volume, dir, blsdir string) (*place, []string) {
	at := func(dir string) *place { return &place{volume: v, dir: strings.TrimPrefix(path.Join("/", dir), "/")} }
	switch {
	case strings.HasSuffix(dir, ".conf"):
		if !v.Exists(dir) {
			return nil, nil
		}
		return at(path.Dir(dir)), []string{path.Base(dir)}
	case dir != "":
		return find(v, []*place{at(dir)}, grub)
	}
	return find(v, []*place{at(cmp.Or(blsdir, directories[0])), at(directories[1])}, grub)
}
