// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/imaboot/imaboot/pkg/disk"
	"github.com/imaboot/imaboot/pkg/entry"
)

// disks looks at the disks that exist, and at others when they appear.
func (f *finder) disks(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, f.Wait)
	defer cancel()
	return f.devices.until(waiting, "block", func(settled bool) (bool, error) {
		looking, cancel := f.lookTime(ctx, waiting)
		defer cancel()
		if err := f.scan(looking); err != nil {
			return false, err
		}
		if f.devices.poll = 0; len(f.mounting) > 0 {
			f.devices.poll = time.Second // a mount ends without an event
		}
		if settled && !f.offers() {
			f.Log("waiting for disks, %v at most", f.Wait)
		}
		return settled && f.offers(), nil
	})
}

// leastLook is how long a search may look at the disks that are there, even if it
// must not wait for others: reading them takes time, too.
const leastLook = 10 * time.Second

// lookTime ends with the waiting, or after leastLook.
func (f *finder) lookTime(ctx, waiting context.Context) (context.Context, context.CancelFunc) {
	end := time.Now().Add(leastLook)
	if last, ok := waiting.Deadline(); ok && last.After(end) {
		end = last
	}
	return context.WithDeadlineCause(ctx, end, errOver)
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
	f.set(configsOf(ctx, f.volumes))
	return nil
}

// openNew opens devices that were not looked at, until the context ends. It
// reports whether one of them has a file system.
func (f *finder) openNew(ctx context.Context, found []disk.Device) (appeared bool) {
	left := 0
	for _, d := range found {
		if _, ok := f.opened[deviceKey(d)]; !ok {
			left++
		}
	}
	for _, d := range found {
		key := deviceKey(d)
		if _, ok := f.opened[key]; ok {
			continue
		}
		if ctx.Err() != nil {
			return appeared
		}
		if first := f.sameStorage(d, found); first != "" {
			left--
			f.say("%s is %s, by another way", d.Name, first)
			continue
		}
		v, err := f.mountIn(ctx, left, d)
		left--
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

// A mounting is a device that is being mounted.
type mounting struct {
	v   *entry.Volume
	err error
}

// mountIn mounts a device, which may take an equal part of the time that is left:
// a disk that does not answer must not keep others from being looked at. A mount
// cannot be interrupted. If it takes longer, a later call returns its result.
func (f *finder) mountIn(ctx context.Context, turns int, d disk.Device) (*entry.Volume, error) {
	limited, cancel := turn(ctx, turns)
	defer cancel()
	key := deviceKey(d)
	mounted := f.mounting[key]
	if mounted != nil {
		cancel() // it has had its turn
	} else {
		mounted = make(chan mounting, 1)
		f.mounting[key] = mounted
		go func() {
			v, err := f.mount(d)
			mounted <- mounting{v, err}
		}()
	}
	select {
	case m := <-mounted:
		delete(f.mounting, key)
		return m.v, m.err
	case <-limited.Done():
	}
	select {
	case m := <-mounted: // both were ready
		delete(f.mounting, key)
		return m.v, m.err
	default:
		return nil, fmt.Errorf("%s: %w so far: it does not answer", d.Name, disk.ErrMount)
	}
}

// abandon unmounts what is mounted too late.
func (f *finder) abandon() {
	for key, mounted := range f.mounting {
		delete(f.mounting, key)
		go func() {
			if m := <-mounted; m.v != nil {
				_ = f.unmount(m.v)
			}
		}()
	}
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
