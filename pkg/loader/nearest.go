// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// Others returns all volumes but v, those on the same disk first.
func Others(v *entry.Volume, all entry.Volumes) []*entry.Volume {
	disk, _ := v.Partition()
	var near, far []*entry.Volume
	for _, o := range all {
		if of, _ := o.Partition(); o == v {
			continue
		} else if of == disk {
			near = append(near, o)
		} else {
			far = append(far, o)
		}
	}
	return append(near, far...)
}

// Nearest returns the volume that a configuration on v names by a UUID or a label,
// or nil if no volume has it. If several have it, Nearest prefers v itself, then a
// volume on the same disk: a copy of a disk must not take the disk's place. key is
// the printable name for a note about several volumes.
func Nearest(c *entry.Config, v *entry.Volume, all entry.Volumes, key string, has func(*entry.Volume) bool) *entry.Volume {
	var found []*entry.Volume
	for _, o := range append([]*entry.Volume{v}, Others(v, all)...) {
		if has(o) {
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		return nil
	}
	SayTwins(c, key, found)
	return found[0]
}

// SayTwins notes once that several volumes have the same UUID or label, of which
// the first one is taken.
func SayTwins(c *entry.Config, key string, found []*entry.Volume) {
	const most = 8 // that are named
	if len(found) < 2 {
		return
	}
	var names []string
	for _, v := range found[:min(len(found), most)] {
		names = append(names, v.Device)
	}
	note := fmt.Sprintf("%s have the %s: %s is taken", strings.Join(names, ", "), key, found[0].Device)
	if !slices.Contains(c.Notes, note) {
		c.Notef("%s", note)
	}
}
