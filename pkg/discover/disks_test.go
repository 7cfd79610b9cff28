// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"testing"

	"github.com/imaboot/imaboot/pkg/disk"
	"github.com/imaboot/imaboot/pkg/entry"
)

// TestSameStorage: only a way that could be opened, and is still there, stands
// for the others.
func TestSameStorage(t *testing.T) {
	const name = "naa.5000c50015ea71aa 2"
	device := func(change func(*disk.Device)) disk.Device {
		d := disk.Device{Name: "sdb2", Number: "8:18", Bytes: 1 << 20, PartUUID: "0a-02", Storage: name}
		change(&d)
		return d
	}
	first := disk.Device{Name: "sda2", Number: "8:2", Bytes: 1 << 20, PartUUID: "0a-02", Storage: name}
	same := device(func(*disk.Device) {})
	opened := map[string]*entry.Volume{deviceKey(first): {Device: "sda2"}}
	for what, tt := range map[string]struct {
		d      disk.Device
		opened map[string]*entry.Volume
		found  []disk.Device
		want   string
	}{
		"another way":          {same, opened, []disk.Device{first, same}, "sda2"},
		"a dead first way":     {same, nil, []disk.Device{first, same}, ""},
		"nothing on the first": {same, map[string]*entry.Volume{deviceKey(first): nil}, []disk.Device{first, same}, ""},
		"the first is gone":    {same, opened, []disk.Device{same}, ""},
		"no name":              {device(func(d *disk.Device) { d.Storage = "" }), opened, []disk.Device{first}, ""},
		"another partition":    {device(func(d *disk.Device) { d.Storage = "naa.5000c50015ea71aa 3" }), opened, []disk.Device{first}, ""},
		// Bridges of USB are sold with one name.
		"another size":       {device(func(d *disk.Device) { d.Bytes++ }), opened, []disk.Device{first}, ""},
		"another table's":    {device(func(d *disk.Device) { d.PartUUID = "0b-02" }), opened, []disk.Device{first}, ""},
		"one that came anew": {same, opened, []disk.Device{device(func(d *disk.Device) { d.Name = "sda2" }), same}, ""},
	} {
		f := &finder{opened: tt.opened}
		if got := f.sameStorage(tt.d, tt.found); got != tt.want {
			t.Errorf("%s: %q, want %q", what, got, tt.want)
		}
	}
}
