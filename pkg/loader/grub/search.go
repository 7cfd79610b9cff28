// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// searchOptions are the options of search. Hints only say where GRUB looks
// first; they are named after platforms, and newer GRUBs have more of them.
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
			return in.search(c, by, rest[0], variable), nil
		}
	}
	return 1, nil
}

// searchByCommand is search.fs_uuid and its kin: KEY [VARIABLE [HINT...]].
func searchByCommand(in *interpreter, c *invocation) (int, error) {
	by := map[string]string{"search.file": "file", "search.fs_label": "label", "search.fs_uuid": "fs-uuid"}[c.name]
	switch len(c.args) {
	case 0:
		return 1, nil
	case 1:
		return in.search(c, by, c.args[0], ""), nil
	}
	return in.search(c, by, c.args[0], c.args[1]), nil
}

// search sets a variable to the first volume with the key.
func (in *interpreter) search(c *invocation, by, key, variable string) int {
	found := in.volumes.Find(func(v *entry.Volume) bool {
		switch by {
		case "label":
			return key != "" && v.Label == key
		case "fs-uuid":
			return key != "" && strings.EqualFold(v.UUID, key)
		}
		return strings.HasPrefix(key, "/") && v.Exists(key)
	})
	if found == nil {
		in.notef(c.at, "no file system with %s %s", by, printable(key))
		return 1
	}
	if variable != "" {
		in.set(variable, found.Device)
	}
	return 0
}
