// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import "strings"

var probeOptions = []option{
	{"set", 's', something},
	{"driver", 'd', nothing},
	{"partmap", 'p', nothing},
	{"fs", 'f', nothing},
	{"fs-uuid", 'u', nothing},
	{"label", 'l', nothing},
	{"part-uuid", 0, nothing},
}

// probeCommand returns what is known of a device (grub.info, "probe"): scripts
// make root=UUID= of it. Drivers and types of file systems are not known here.
func probeCommand(in *interpreter, c *invocation) (int, error) {
	given, rest, ok := parseStrictly(probeOptions, c.args)
	if !ok || len(rest) == 0 {
		return 1, nil
	}
	device := rest[0]
	if inner, ok := strings.CutPrefix(device, "("); ok {
		device = strings.TrimSuffix(inner, ")")
	}
	v := in.volume(device)
	if v == nil {
		return 1, nil
	}
	text := ""
	switch {
	case given.has("driver"), given.has("partmap"), given.has("fs"):
	case given.has("fs-uuid"):
		text = v.UUID
	case given.has("label"):
		text = v.Label
	case given.has("part-uuid"):
		text = v.PartUUID
	}
	if text != "" && given.has("set") {
		in.set(given.last("set"), text)
	}
	return flag(text != ""), nil
}
