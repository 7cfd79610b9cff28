// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package discover finds what can be booted: it mounts the file systems of
// disks, asks DHCP servers, reads the configurations of boot loaders, and
// returns their entries.
//
// It opens configurations, but no kernel and no initrd: where IMA measures
// opened files, its list must name only those that are booted.
package discover

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/budget"
	"github.com/imaboot/imaboot/pkg/disk"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/netboot"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrNothingFound means that there is no entry, or not the wanted one.
var ErrNothingFound = refusal.New(refusal.NothingToBoot, "nothing to boot was found")

// A Place is where entries come from.
type Place string

// The places.
const (
	Disk Place = "disk"
	Net  Place = "net"
)

// DefaultWait is the default of Options.Wait.
const DefaultWait = 30 * time.Second

// Options say where to look, and for what. The zero value looks at disks, and
// then at the network.
type Options struct {
	// Root is the directory with dev, lib/modules, proc, run and sys; "" is
	// "/". Mounts, network interfaces and events of devices are the running
	// kernel's in any case.
	Root string
	// From are the places to look at, in this order; nil is Disk, Net. The
	// first one with an entry ends the search.
	From []Place
	// Wait is how long a disk or a network interface may take to appear, and how
	// long reading the configurations on disks may take, for which there are 10 s
	// at least. 0 is DefaultWait; with a negative one, nothing is waited for.
	Wait time.Duration
	// Entry is the ID, the title, or the number (from 1) of the wanted entry;
	// "" is the one that its boot loader would boot.
	Entry string
	// Unattended means that nobody will choose: the search goes on until it
	// finds Entry.
	Unattended bool
	// URL, if not empty, is the kernel of the only entry, and Initrds are the
	// URLs of its initrds. Nothing else is looked for.
	URL     string
	Initrds []string
	// Sums are what is known about downloads, by URL.
	Sums map[string]fetch.Sum
	// Memory is what downloads may take, together with the files of others that
	// share it; nil is budget.Machine(Root).
	Memory *budget.Memory
	// Log gets a line of text for each step, Debug for each detail; nil
	// discards them. Lines may hold names and messages from disks and servers:
	// escape control characters (entry.Printable) before you show them.
	Log, Debug func(format string, args ...any)
}

func (o Options) withDefaults() Options {
	discard := func(string, ...any) {}
	if o.Root == "" {
		o.Root = "/"
	}
	if o.From == nil {
		o.From = []Place{Disk, Net}
	}
	switch {
	case o.Wait == 0:
		o.Wait = DefaultWait
	case o.Wait < 0:
		o.Wait = 0
	}
	if o.Memory == nil {
		o.Memory = budget.Machine(o.Root)
	}
	if o.Log == nil {
		o.Log = discard
	}
	if o.Debug == nil {
		o.Debug = discard
	}
	return o
}

// Find looks for something to boot until it has found it, or has looked
// everywhere. That there is nothing is not an error of Find, but of
// Found.Default: what was skipped is in Found.Configs.
//
// Find loads kernel modules for devices, mounts disks read-only, and configures
// network interfaces. A Found must be closed.
//
// The DHCP client writes to the standard logger; see netboot.Leases.
func Find(ctx context.Context, o Options) (*Found, error) {
	f := newFinder(o.withDefaults())
	if err := f.find(ctx); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Found, nil
}

// A finder is a search.
type finder struct {
	Options
	*Found
	fetcher *fetch.Fetcher
	devices *devices
	// opened are the devices that were looked at, by deviceKey. Those without
	// a file system are nil.
	opened map[string]*entry.Volume
	// mounting are the devices, by deviceKey, that have not answered yet.
	mounting map[string]chan mounting
	// said are the notes that were logged.
	said map[string]bool
	// before are the configurations of places that were looked at earlier.
	before []*entry.Config
	// Tests replace these: they have no disks to mount, and no interfaces to
	// configure.
	mount     func(disk.Device) (*entry.Volume, error)
	leases    func(ctx context.Context, match func(name string) bool, log func(string, ...any)) (<-chan *netboot.Lease, error)
	configure func(*netboot.Lease) error
}

func newFinder(o Options) *finder {
	f := &finder{
		Options:   o,
		fetcher:   newFetcher(o.Log),
		opened:    map[string]*entry.Volume{},
		mounting:  map[string]chan mounting{},
		said:      map[string]bool{},
		leases:    netboot.Leases,
		configure: (*netboot.Lease).Configure,
	}
	f.mount = func(d disk.Device) (*entry.Volume, error) { return disk.Open(o.Root, d, f.devices.modules) }
	f.Found = &Found{
		wanted: o.Entry, from: o.From, unmount: disk.Close, debug: o.Debug,
		cache: fetch.NewCache(filepath.Join(o.Root, netDir), f.fetcher, o.Sums, o.Log),
	}
	f.cache.Memory = o.Memory
	return f
}

func (f *finder) find(ctx context.Context) (err error) {
	if f.devices, err = watch(f.Root, f.Log, f.Debug); err != nil {
		return err
	}
	defer func() {
		f.abandon()
		if err := f.devices.close(); err != nil {
			f.Debug("devices: %v", err)
		}
	}()
	if f.URL != "" {
		return orEnd(ctx, f.byURL(ctx))
	}
	for _, from := range f.From {
		look, ok := map[Place]func(context.Context) error{Disk: f.disks, Net: f.network}[from]
		if !ok {
			return fmt.Errorf("discover: no place %q", from)
		}
		f.before = f.configs
		start := time.Now()
		if err := orEnd(ctx, look(ctx)); err != nil {
			return err
		}
		f.Log("%s: %s, found in %.3f s", from, human.Count(len(f.choices), "entries"), time.Since(start).Seconds())
		if f.enough() || (f.offers() && !f.Unattended) {
			return nil
		}
	}
	return nil
}

// orEnd returns why the caller's context ended, if it did and err is nil.
func orEnd(ctx context.Context, err error) error {
	if err == nil && ctx.Err() != nil {
		return fmt.Errorf("looking for something to boot: %w", context.Cause(ctx))
	}
	return err
}

// enough reports whether the wanted entry was found.
func (f *finder) enough() bool {
	_, err := f.Default()
	return err == nil
}

// offers reports whether the wanted entry was found, or anything to choose from
// if any will do. Where the boot loader's default is not among the entries,
// waiting does not help.
func (f *finder) offers() bool {
	return f.enough() || (f.Entry == "" && len(f.choices) > 0)
}

// say logs a note once.
func (f *finder) say(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	if !f.said[note] {
		f.said[note] = true
		f.Log("%s", note)
	}
}

// set takes configurations, and logs what was skipped in them.
func (f *finder) set(configs []*entry.Config) {
	f.configs = append(configs, f.before...)
	f.choices = choicesOf(f.configs)
	for _, c := range configs {
		f.Debug("%s: %s, %s", c.Source, c.Kind, human.Count(len(c.Entries), "entries"))
		for _, note := range c.Notes {
			f.say("%s: %s", c.Source, note)
		}
	}
}

// placesText lists places as users write them.
func placesText(places []Place) string {
	var words []string
	for _, p := range places {
		words = append(words, string(p))
	}
	return strings.Join(words, ",")
}
