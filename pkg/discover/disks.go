// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/imaboot/imaboot/pkg/disk"
	"github.com/imaboot/imaboot/pkg/entry"
)

// disks looks at the disks that exist, and at others when they appear.
func (f *finder) disks(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, f.Wait)
	defer cancel()
	return f.devices.until(waiting, "block", func(settled bool) (bool, error) {
		if err := f.scan(ctx); err != nil {
			return false, err
		}
		if settled && !f.offers() {
			f.Log("waiting for disks, %v at most", f.Wait)
		}
		return settled && f.offers(), nil
	})
}

// scan opens new devices, and closes those that are gone. If there were any, it
// reads all configurations again: they may refer to other file systems.
func (f *finder) scan(ctx context.Context) error {
	found, err := disk.Devices(f.Root)
	if err != nil {
		return err
	}
	appeared := f.openNew(ctx, found)
	vanished := f.closeGone(found)
	if !appeared && !vanished {
		return nil
	}
	f.volumes = slices.DeleteFunc(slices.Collect(maps.Values(f.opened)), func(v *entry.Volume) bool { return v == nil })
	// The order in which devices appear is arbitrary.
	slices.SortFunc(f.volumes, func(a, b *entry.Volume) int { return disk.Natural(a.Device, b.Device) })
	f.sayTwins()
	f.set(configsOf(f.volumes))
	return nil
}

// openNew opens devices that were not looked at, until the context ends. It
// reports whether one of them has a file system.
func (f *finder) openNew(ctx context.Context, found []disk.Device) (appeared bool) {
	for _, d := range found {
		key := deviceKey(d)
		if _, ok := f.opened[key]; ok {
			continue
		}
		if ctx.Err() != nil {
			return appeared
		}
		if first := f.sameStorage(d, found); first != "" {
			f.say("%s is %s, by another way", d.Name, first)
			continue
		}
		v, err := f.mount(d)
		switch {
		case err == nil:
			f.Debug("%s: mounted, UUID %s, label %q", d.Name, v.UUID, v.Label)
			appeared = true
		case errors.Is(err, disk.ErrNothing):
			f.Debug("%v", err)
		default:
			// The device may not be ready yet: its next event tells.
			f.say("%v", err)
			continue
		}
		f.opened[key] = v
	}
	return appeared
}

// closeGone forgets devices that do not exist any more. It reports whether one
// of them had a file system.
func (f *finder) closeGone(found []disk.Device) (vanished bool) {
	for key, v := range f.opened {
		if slices.ContainsFunc(found, func(d disk.Device) bool { return deviceKey(d) == key }) {
			continue
		}
		delete(f.opened, key)
		if v == nil {
			continue
		}
		f.say("%s is gone", v.Device)
		if err := f.unmount(v); err != nil {
			f.Debug("unmount: %v", err)
		}
		vanished = true
	}
	return vanished
}

// sameStorage returns the name of an open device that is the same storage as d,
// reached by another path. A path may be dead, so only a device that could be
// opened counts. Some vendors give several disks the same name, so size and
// PARTUUID must be equal as well.
func (f *finder) sameStorage(d disk.Device, found []disk.Device) string {
	for _, other := range found {
		isSame := d.Storage != "" && other.Storage == d.Storage && other.Bytes == d.Bytes && other.PartUUID == d.PartUUID
		if isSame && f.opened[deviceKey(other)] != nil {
			return other.Name
		}
	}
	return ""
}

// deviceKey identifies a device. A later device may get the same name.
func deviceKey(d disk.Device) string { return d.Name + " " + d.Number }

// sayTwins logs which file systems have the same UUID. A configuration that names
// it gets the one on its own disk, or else the first one.
func (f *finder) sayTwins() {
	first := map[string]string{}
	for _, v := range f.volumes {
		if other, ok := first[v.UUID]; ok && v.UUID != "" {
			f.say("%s has the UUID of %s, %s: a configuration gets the one on its own disk, or else %s", v.Device, other, v.UUID, other)
			continue
		}
		first[v.UUID] = v.Device
	}
}
