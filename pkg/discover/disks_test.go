// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
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

// TestDeadDisk: a disk that does not answer keeps nobody from the others. When it
// answers, it is looked at without an event.
func TestDeadDisk(t *testing.T) {
	f, j := testFinder(t, Options{Wait: 20 * time.Second}, device("sda1", "8:1"))
	fileroot.Add(t, f.Root, device("sdb1", "8:17"))
	for _, name := range []string{"sda1", "sdb1"} {
		fileroot.Add(t, f.Root, map[string]string{
			"volumes/" + name + "/etc/kboot.conf": kboot, "volumes/" + name + "/boot/a": "", "volumes/" + name + "/boot/b": "",
		})
	}
	mount, answers := f.mount, make(chan struct{})
	f.mount = func(d disk.Device) (*entry.Volume, error) {
		if d.Name == "sda1" {
			<-answers
		}
		return mount(d)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := f.scan(ctx); err != nil {
		t.Fatal(err)
	}
	j.check(t, "sda1: cannot be mounted so far: it does not answer")
	checkTitles(t, f, "*sdb1 a", "sdb1 b")
	if err := os.RemoveAll(filepath.Join(f.Root, "sys/class/block/sdb1")); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { close(answers) })
	if err := f.disks(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkTitles(t, f, "*sda1 a", "sda1 b")
}

// TestMountedTooLate: what is mounted after the search has ended is unmounted.
func TestMountedTooLate(t *testing.T) {
	f, _ := testFinder(t, Options{}, device("sda1", "8:1"))
	fileroot.Add(t, f.Root, map[string]string{"volumes/sda1/x": ""})
	mount, answers, unmounted := f.mount, make(chan struct{}), make(chan string)
	f.mount = func(d disk.Device) (*entry.Volume, error) { <-answers; return mount(d) }
	f.unmount = func(v *entry.Volume) error { defer func() { unmounted <- v.Device }(); return v.Close() }
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := f.scan(ctx); err != nil {
		t.Fatal(err)
	}
	f.abandon()
	close(answers)
	if got := <-unmounted; got != "sda1" {
		t.Error(got)
	}
}

// TestEndlessConfigurations: each disk has a part of the time, whatever is on
// others, and what was not read is said.
func TestEndlessConfigurations(t *testing.T) {
	loop := "menuentry first { linux /boot/a }\nwhile true; do\n" + strings.Repeat("test -e /link\n", 1000) + "done\n"
	f, j := testFinder(t, Options{}, device("sda1", "8:1"))
	for i := range 4 {
		name := fmt.Sprintf("sd%c1", 'b'+i)
		fileroot.Add(t, f.Root, device(name, fmt.Sprintf("8:%d", 17+i)))
		files := map[string]string{"boot/a": "", "boot/grub/grub.cfg": loop, strings.Repeat("d/", 110) + "x": ""}
		for file, text := range files {
			fileroot.Add(t, f.Root, map[string]string{filepath.Join("volumes", name, file): text})
		}
		if err := os.Symlink(strings.Repeat("/d", 110), filepath.Join(f.Root, "volumes", name, "link")); err != nil {
			t.Fatal(err)
		}
	}
	fileroot.Add(t, f.Root, device("sdz1", "8:99"))
	fileroot.Add(t, f.Root, map[string]string{"volumes/sdz1/etc/kboot.conf": kboot, "volumes/sdz1/boot/a": "", "volumes/sdz1/boot/b": ""})
	const limit = 3 * time.Second
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, errOver)
	defer cancel()
	start := time.Now()
	if err := f.scan(ctx); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 10*limit {
		t.Errorf("took %v", d)
	}
	checkTitles(t, f, "*sdz1 a", "sdz1 b")
	j.check(t, "sdb1:/boot/grub/grub.cfg: grub: not all of it is read: the time to read this disk is over")
}

// TestSlowConfiguration: if nothing else is offered, a disk that needs longer than
// its turn has the time of the others.
func TestSlowConfiguration(t *testing.T) {
	slow := strings.Repeat("test -e /"+strings.Repeat("d/../", 60)+"x\n", 400) + "menuentry slow { linux /boot/a }\n"
	volume := func(name string, files map[string]string) *entry.Volume {
		v, err := entry.OpenVolume(fileroot.New(t, files), name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { v.Close() })
		return v
	}
	all := entry.Volumes{volume("sda1", map[string]string{"boot/grub/grub.cfg": slow, "boot/a": "", "d/x": ""})}
	entries := func(ctx context.Context) (n int) {
		for _, c := range configsOf(ctx, all) {
			n += len(c.Entries)
		}
		return n
	}
	start := time.Now()
	if n := entries(t.Context()); n != 1 {
		t.Fatalf("%d entries", n)
	}
	took := time.Since(start)
	for i := range 49 {
		all = append(all, volume(fmt.Sprintf("sdb%d", i+1), map[string]string{"x": ""}))
	}
	// A turn is a fifth of what the first disk needs.
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*took, errOver)
	defer cancel()
	if n := entries(ctx); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// TestManyEntries: the entries of a disk's configurations share one bound.
func TestManyEntries(t *testing.T) {
	config := func(n, size int) *entry.Config {
		c := &entry.Config{Default: n - 1}
		for range n {
			c.Entries = append(c.Entries, entry.Entry{Cmdline: strings.Repeat("x", size)})
		}
		return c
	}
	small, large, late := config(10, 100), config(1000, 64<<10), config(1, 1)
	room := cut(large, cut(small, maxBytes))
	if len(small.Entries) != 10 || small.Default != 9 || len(large.Entries) != 255 || large.Default != entry.Elsewhere || len(large.Notes) != 1 || room != 0 {
		t.Errorf("%d and %d entries, default %d, notes %q, %d bytes left", len(small.Entries), len(large.Entries), large.Default, large.Notes, room)
	}
	if cut(late, room); len(late.Entries) > 0 {
		t.Error("an entry that has no room")
	}
}
