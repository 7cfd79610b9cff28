// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/u-root/u-root/pkg/uroot/unixflag"

	"github.com/imaboot/imaboot/pkg/discover"
	"github.com/imaboot/imaboot/pkg/disk"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/refusal"
	"github.com/imaboot/imaboot/pkg/target"
)

// errNothingFound means that nothing can be offered.
var errNothingFound = refusal.New(refusal.NothingToBoot, "nothing to boot was found")

// A discovery is how boot finds a target, where none is named.
type discovery struct {
	from      string
	wait      time.Duration
	timeout   time.Duration
	entry     string
	noMenu    bool
	finally   string
	url       string
	checksums unixflag.StringArray
}

// Defaults: of the time in which a disk has to appear, and of that to choose.
const (
	defaultWait    = 30 * time.Second
	defaultTimeout = 5 * time.Second
)

func (d *discovery) flags(f *flag.FlagSet) {
	d.from, d.finally = "disk,net", "exit"
	f.Var(choice{&d.from, []string{"disk", "net", "disk,net", "net,disk"}}, "from", "where to look: disk, net, or both in the order to look in")
	f.DurationVar(&d.wait, "wait", defaultWait, "how long disks, or the network, may take to appear")
	f.StringVar(&d.entry, "entry", "", "`NAME` or number of the entry to boot")
	f.StringVar(&d.url, "url", "", "kernel at an `ADDRESS` (tftp, http, https); --initrd are addresses then, too")
	f.Var(&d.checksums, "checksum", "sha256:HEX of what --url names, and then of each --initrd")
}

// chooseFlags are those of boot, beside those of entries.
func (d *discovery) chooseFlags(f *flag.FlagSet) {
	f.DurationVar(&d.timeout, "timeout", defaultTimeout, "how long the menu waits for a key; for ever if negative")
	f.BoolVar(&d.noMenu, "no-menu", false, "boot the default, or --entry, and do not ask")
	f.Var(choice{&d.finally, []string{"exit", "shell", "reboot"}}, "finally", "what to do when nothing can be booted: exit, shell or reboot")
}

// A finder is what was found so far.
type finder struct {
	*command
	d *discovery
	// opened are devices that were looked at, nil for one with nothing on it.
	opened  map[string]*entry.Volume
	volumes entry.Volumes
	// said are notes that were printed.
	said map[string]bool
	// before are the configurations of a place that was looked at earlier:
	// what they boot by themselves is not offered, or not wanted.
	before  []*entry.Config
	configs []*entry.Config
	choices []discover.Choice
	devices *devices
	// net fetches what is not on a disk.
	net *network
}

// find looks where it is told to, until there is something that is wanted.
func (c *command) find(ctx context.Context, o *options, d *discovery) (*finder, error) {
	f := &finder{command: c, d: d, opened: map[string]*entry.Volume{}, said: map[string]bool{}}
	var err error
	if f.devices, err = c.watch(); err != nil {
		return f, err
	}
	defer func() {
		if err := f.devices.close(); err != nil {
			c.detail("devices: %v", err)
		}
	}()
	if d.url != "" {
		return f, f.byURL(ctx, o)
	}
	for from := range strings.SplitSeq(d.from, ",") {
		find := f.disks
		if from == "net" {
			find = f.network
		}
		f.before = f.configs
		start := time.Now()
		if err := find(ctx); err != nil {
			return f, err
		}
		c.step("%s: %s, found in %.3f s", from, count(len(f.choices), "entries"), time.Since(start).Seconds())
		if f.enough() || (f.offers() && !f.d.noMenu) {
			return f, nil
		}
	}
	return f, nil
}

// enough: there is what is wanted.
func (f *finder) enough() bool {
	_, err := f.byDefault()
	return err == nil
}

// offers: there is what is wanted, or something else to choose from: what is
// offered without a default does not get one by waiting.
func (f *finder) offers() bool {
	return f.enough() || (f.d.entry == "" && len(f.choices) > 0)
}

// named is the entry that --entry names: its number, its name or what the
// configuration calls it.
func (f *finder) named() (int, error) {
	for i := range f.choices {
		if e := &f.choices[i]; e.ID == f.d.entry || e.Title == f.d.entry {
			return i, nil
		}
	}
	if n, err := strconv.Atoi(f.d.entry); err == nil && n >= 1 && n <= len(f.choices) {
		return n - 1, nil
	}
	return 0, fmt.Errorf("%w: no entry %q", errNothingFound, f.d.entry)
}

// byDefault is the entry that is booted when nobody chooses.
func (f *finder) byDefault() (int, error) {
	if f.d.entry != "" {
		return f.named()
	}
	for i := range f.choices {
		if f.choices[i].Default {
			return i, nil
		}
	}
	if len(f.choices) > 0 {
		return 0, fmt.Errorf("%w unasked: %s boots what is not offered here: name an entry with --entry, or choose", errNothingFound, f.configs[0].Source)
	}
	return 0, fmt.Errorf("%w in %s", errNothingFound, f.d.from)
}

// disks looks at disks as they appear, and at those that are there.
func (f *finder) disks(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.d.wait)
	defer cancel()
	return f.devices.until(ctx, "block", func(settled bool) (bool, error) {
		if err := f.scan(); err != nil {
			return false, err
		}
		if settled && !f.offers() {
			f.step("waiting for disks, %v at most", f.d.wait)
		}
		return settled && f.offers(), nil
	})
}

// scan opens devices that are new, forgets those that are gone, and reads all
// configurations again if there were some: one may speak of a file system that
// was not there before.
func (f *finder) scan() error {
	found, err := disk.Devices("/")
	if err != nil {
		return err
	}
	changed := false
	here := map[string]bool{}
	for _, d := range found {
		key := deviceKey(d)
		here[key] = true
		if _, ok := f.opened[key]; ok {
			continue
		}
		if first := f.sameStorage(d, found); first != "" {
			f.say(fmt.Sprintf("%s is %s, by another way", d.Name, first))
			continue
		}
		v, err := disk.Open(d, f.devices.modules)
		switch {
		case err == nil:
			f.detail("%s: mounted, UUID %s, label %q", d.Name, v.UUID, v.Label)
			changed = true
		case errors.Is(err, disk.ErrNothing):
			f.detail("%v", err)
		default:
			// It may still be busy with itself: its next event tells.
			f.say(err.Error())
			continue
		}
		f.opened[key] = v
	}
	for key, v := range f.opened {
		if here[key] {
			continue
		}
		delete(f.opened, key)
		if v != nil {
			f.say(v.Device + " is gone")
			f.closeVolume(v)
			changed = true
		}
	}
	if changed {
		f.volumes = slices.DeleteFunc(slices.Collect(maps.Values(f.opened)), func(v *entry.Volume) bool { return v == nil })
		// Not in the order in which they came: that is luck.
		slices.SortFunc(f.volumes, func(a, b *entry.Volume) int { return disk.Natural(a.Device, b.Device) })
		f.sayTwins()
		f.set(discover.Configs(f.volumes))
	}
	return nil
}

// sameStorage is the name of a device that is open, and is the same as d. One
// of its ways may be dead, so that only what could be opened counts. Not all
// that is sold has a name of its own: what else is known has to be the same.
func (f *finder) sameStorage(d disk.Device, found []disk.Device) string {
	for _, other := range found {
		isSame := d.Storage != "" && other.Storage == d.Storage && other.Bytes == d.Bytes && other.PartUUID == d.PartUUID
		if isSame && f.opened[deviceKey(other)] != nil {
			return other.Name
		}
	}
	return ""
}

// deviceKey tells a device from others, and from later ones of its name.
func deviceKey(d disk.Device) string { return d.Name + " " + d.Number }

// sayTwins tells of file systems that cannot be told apart: the first is
// taken.
func (f *finder) sayTwins() {
	first := map[string]string{}
	for _, v := range f.volumes {
		if other, ok := first[v.UUID]; ok && v.UUID != "" {
			f.say(fmt.Sprintf("%s has the UUID of %s, %s: that one is taken for it", v.Device, other, v.UUID))
			continue
		}
		first[v.UUID] = v.Device
	}
}

// say prints a note, once.
func (f *finder) say(note string) {
	if !f.said[note] {
		f.said[note] = true
		f.step("%s", note)
	}
}

// set takes configurations, and says what was skipped in them.
func (f *finder) set(configs []*entry.Config) {
	f.configs = append(configs, f.before...)
	f.choices = discover.Choices(f.configs)
	for _, c := range configs {
		f.detail("%s: %s, %s", c.Source, c.Kind, count(len(c.Entries), "entries"))
		for _, note := range c.Notes {
			f.say(c.Source + ": " + note)
		}
	}
}

// close unmounts what was mounted.
func (f *finder) close() {
	for _, v := range f.volumes {
		f.closeVolume(v)
	}
	if f.net != nil {
		f.net.close()
	}
}

func (f *finder) closeVolume(v *entry.Volume) {
	if err := disk.Close(v); err != nil {
		f.detail("unmount: %v", err)
	}
}

// local are the files of an entry as options have them; what is on the network
// is downloaded.
func (f *finder) local(ctx context.Context, e *entry.Entry, o *options) error {
	path := func(file entry.File) (string, error) {
		if file.Volume != nil {
			return file.Volume.Path(file.Name)
		}
		return f.net.fetch(ctx, file.Name)
	}
	var err error
	if o.Kernel, err = path(e.Kernel); err != nil {
		return err
	}
	// It is looked for where the entry's loader would: a link may lead
	// anywhere else.
	o.Config = ""
	if v := e.Kernel.Volume; v != nil {
		if name, err := v.Path(target.ConfigName(e.Kernel.Name)); err == nil {
			o.Config = name
		}
	}
	o.Initrds = nil
	for _, i := range e.Initrds {
		name, err := path(i)
		if err != nil {
			return err
		}
		o.Initrds = append(o.Initrds, name)
	}
	if e.DeviceTree != nil {
		if o.DTB, err = path(*e.DeviceTree); err != nil {
			return err
		}
	}
	return nil
}
