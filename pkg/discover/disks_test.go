// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/disk"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

const kboot = "default=a\na='/boot/a quiet'\nb='/boot/b'\n"

// titles are those of the choices, the default with an asterisk.
func titles(f *finder) []string {
	var out []string
	for _, c := range f.Choices() {
		mark := ""
		if c.Default {
			mark = "*"
		}
		out = append(out, mark+c.Kernel.Volume.Device+" "+c.Name())
	}
	return out
}

func checkTitles(t *testing.T, f *finder, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, titles(f)); diff != "" {
		t.Error(diff)
	}
}

// TestScan: devices come, go, and are not ready at first.
func TestScan(t *testing.T) {
	f, j := testFinder(t, Options{}, device("sdb1", "8:17"))
	kernels := map[string]string{"boot/a": "", "boot/b": "", "etc/kboot.conf": kboot}
	add := func(name string) {
		for file, text := range kernels {
			fileroot.Add(t, f.Root, map[string]string{filepath.Join("volumes", name, file): text})
		}
	}
	scan := func() {
		t.Helper()
		if err := f.scan(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	scan()
	scan()
	j.check(t, "sdb1: cannot be mounted")
	checkTitles(t, f)

	add("sdb1")
	scan()
	checkTitles(t, f, "*sdb1 a", "sdb1 b")

	// The order of names counts, and not that of arrival.
	fileroot.Add(t, f.Root, device("sda1", "8:1"))
	add("sda1")
	scan()
	checkTitles(t, f, "*sda1 a", "sda1 b", "sdb1 a", "sdb1 b")

	if err := os.RemoveAll(filepath.Join(f.Root, "sys/class/block/sda1")); err != nil {
		t.Fatal(err)
	}
	scan()
	j.check(t, "sda1 is gone")
	checkTitles(t, f, "*sdb1 a", "sdb1 b")

	// A new device of the same name is another one.
	fileroot.Add(t, f.Root, device("sdb1", "8:33"))
	scan()
	j.check(t, "sdb1 is gone")
	checkTitles(t, f, "*sdb1 a", "sdb1 b")
}

func TestTwins(t *testing.T) {
	f, j := testFinder(t, Options{}, nil)
	f.volumes = entry.Volumes{{Device: "sda1", UUID: "1"}, {Device: "sda2"}, {Device: "sda3"}, {Device: "sdb1", UUID: "1"}}
	f.sayTwins()
	f.sayTwins()
	j.check(t, "sdb1 has the UUID of sda1, 1: a configuration gets the one on its own disk, or else sda1")
	f.volumes = nil
}

// TestWaitForDisk: a search ends when the wanted entry is there, or when its time
// has passed.
func TestWaitForDisk(t *testing.T) {
	files := map[string]string{"volumes/sda1/boot/a": "", "volumes/sda1/etc/kboot.conf": kboot}
	maps.Copy(files, device("sda1", "8:1"))
	f, _ := testFinder(t, Options{Wait: time.Hour, Entry: "a"}, files)
	if err := f.disks(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkTitles(t, f, "*sda1 a")
	f, j := testFinder(t, Options{Wait: 50 * time.Millisecond, Entry: "none"}, files)
	if err := f.disks(t.Context()); err != nil {
		t.Fatal(err)
	}
	j.check(t, "waiting for disks, 50ms at most")
	if f.enough() || f.offers() {
		t.Error("another entry was taken for the wanted one")
	}
}

// TestSameStorage: only a path that could be opened, and still exists, stands for
// the others.
func TestSameStorage(t *testing.T) {
	const name = "naa.5000c50015ea71aa 2"
	sdb2 := func(change func(*disk.Device)) disk.Device {
		d := disk.Device{Name: "sdb2", Number: "8:18", Bytes: 1 << 20, PartUUID: "0a-02", Storage: name}
		change(&d)
		return d
	}
	first := disk.Device{Name: "sda2", Number: "8:2", Bytes: 1 << 20, PartUUID: "0a-02", Storage: name}
	same := sdb2(func(*disk.Device) {})
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
		"no name":              {sdb2(func(d *disk.Device) { d.Storage = "" }), opened, []disk.Device{first}, ""},
		"another partition":    {sdb2(func(d *disk.Device) { d.Storage = "naa.5000c50015ea71aa 3" }), opened, []disk.Device{first}, ""},
		// Bridges of USB are sold with one name.
		"another size":       {sdb2(func(d *disk.Device) { d.Bytes++ }), opened, []disk.Device{first}, ""},
		"another table's":    {sdb2(func(d *disk.Device) { d.PartUUID = "0b-02" }), opened, []disk.Device{first}, ""},
		"one that came anew": {same, opened, []disk.Device{sdb2(func(d *disk.Device) { d.Name = "sda2" }), same}, ""},
	} {
		f := &finder{opened: tt.opened}
		if got := f.sameStorage(tt.d, tt.found); got != tt.want {
			t.Errorf("%s: %q, want %q", what, got, tt.want)
		}
	}
}
