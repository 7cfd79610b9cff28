// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// searchOptions are the options of search. Hints say where GRUB looks first; they
// are named after platforms, and newer GRUBs have more of them.
var searchOptions = []option{
	{"file", 'f', nothing},
	{"label", 'l', nothing},
	{"fs-uuid", 'u', nothing},
	{"set", 's', perhaps},
	{"no-floppy", 'n', nothing},
	{"root-dev-only", 'r', nothing},
	{"efidisk-only", 0, nothing},
	{"hint", 'h', something},
	{"hint-ieee1275", 0, something},
	{"hint-bios", 0, something},
	{"hint-baremetal", 0, something},
	{"hint-efi", 0, something},
	{"hint-arc", 0, something},
}

func searchCommand(in *interpreter, c *invocation) (int, error) {
	given, rest, ok := parseOptions(searchOptions, c.args)
	for len(rest) > 0 && strings.HasPrefix(rest[0], "--hint-") {
		rest = rest[1:]
	}
	variable := given.last("set")
	if len(rest) == 0 && variable != "" { // --set KEY
		rest, variable = []string{variable}, "root"
	}
	if !ok || len(rest) == 0 {
		return 1, nil
	}
	if given.has("set") && variable == "" {
		variable = "root"
	}
	for _, by := range []string{"label", "fs-uuid", "file"} {
		if given.has(by) {
			return in.search(c, by, rest[0], variable, given.hints()), nil
		}
	}
	return 1, nil
}

// hints are the values of all options for hints.
func (o options) hints() []string {
	var all []string
	for _, known := range searchOptions {
		if strings.HasPrefix(known.long, "hint") {
			all = append(all, o[known.long]...)
		}
	}
	return all
}

// searchByCommand is search.fs_uuid and its kin: KEY [VARIABLE [HINT...]].
func searchByCommand(in *interpreter, c *invocation) (int, error) {
	by := map[string]string{"search.file": "file", "search.fs_label": "label", "search.fs_uuid": "fs-uuid"}[c.name]
	switch len(c.args) {
	case 0:
		return 1, nil
	case 1:
		return in.search(c, by, c.args[0], "", nil), nil
	}
	return in.search(c, by, c.args[0], c.args[1], c.args[2:]), nil
}

// search sets a variable to the nearest volume with the key.
func (in *interpreter) search(c *invocation, by, key, variable string, hints []string) int {
	var found []*entry.Volume
	for _, v := range in.nearest(hints) {
		switch {
		case by == "label" && key != "" && v.Label == key,
			by == "fs-uuid" && key != "" && strings.EqualFold(v.UUID, key),
			by == "file" && len(found) == 0 && strings.HasPrefix(key, "/") && in.affords() && v.Exists(key):
			found = append(found, v)
		}
	}
	if len(found) == 0 {
		in.notef(c.at, "no file system with %s %s", by, printable(key))
		return 1
	}
	loader.SayTwins(in.config, printable(by+" "+key), found)
	if variable != "" {
		in.set(variable, found[0].Device)
	}
	return 0
}

// nearest returns all volumes, first those on the disk that the configuration is
// on, and among these and the others first those that a hint names. GRUB takes
// the hints first: but they name disks as the firmware does, whose names mean
// nothing here, so that only their partitions count.
func (in *interpreter) nearest(hints []string) []*entry.Volume {
	hinted := map[int]bool{}
	named := map[string]bool{}
	for _, hint := range hints {
		hint = strings.TrimSuffix(strings.TrimPrefix(hint, "("), ")")
		named[hint] = true
		if m := onPartition.FindStringSubmatch(hint); m != nil {
			number, _ := strconv.Atoi(m[1]) // a few digits, which are always a number
			hinted[number] = true
		}
	}
	disk, _ := in.start.Partition()
	rank := func(v *entry.Volume) int {
		on, number := v.Partition()
		rank := 0
		if on != disk {
			rank = 2
		}
		if !named[v.Device] && !hinted[number] {
			rank++
		}
		return rank
	}
	return slices.SortedStableFunc(slices.Values(in.volumes), func(a, b *entry.Volume) int { return cmp.Compare(rank(a), rank(b)) })
}
