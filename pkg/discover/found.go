// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/loader"
	"github.com/imaboot/imaboot/pkg/target"
)

// Found is what a search has found. Its disks stay mounted, and its downloads
// stay on this machine, until it is closed.
type Found struct {
	configs []*entry.Config
	choices []Choice
	volumes entry.Volumes
	cache   *fetch.Cache
	wanted  string // Options.Entry
	from    []Place
	unmount func(*entry.Volume) error
	debug   func(format string, args ...any)
}

// Choices returns all entries, each once, in the order of their configurations.
func (f *Found) Choices() []Choice { return slices.Clone(f.choices) }

// Configs returns the configurations that were read. Their notes say what was
// skipped, and why.
func (f *Found) Configs() []*entry.Config { return slices.Clone(f.configs) }

// Default returns the index of the choice to boot if nobody chooses: the one
// that Options.Entry names, or else the one that its boot loader would boot. An
// error wraps ErrNothingFound.
func (f *Found) Default() (int, error) {
	if f.wanted != "" {
		return f.named(f.wanted)
	}
	for i := range f.choices {
		if f.choices[i].Default {
			return i, nil
		}
	}
	if len(f.choices) > 0 {
		return 0, fmt.Errorf("%w unasked: %s boots what is not offered here: name an entry, or choose one", ErrNothingFound, f.configs[0].Source)
	}
	return 0, fmt.Errorf("%w in %s", ErrNothingFound, placesText(f.from))
}

// named returns the index of an entry by its ID, its title, or its number.
func (f *Found) named(name string) (int, error) {
	for i := range f.choices {
		if e := &f.choices[i]; e.ID == name || e.Title == name {
			return i, nil
		}
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= len(f.choices) {
		return n - 1, nil
	}
	return 0, fmt.Errorf("%w: no entry %q", ErrNothingFound, name)
}

// Files are the names of an entry's files on this machine.
type Files struct {
	Kernel  string
	Initrds []string
	// DeviceTree is "" if the entry names none.
	DeviceTree string
	// Config is the kernel's configuration (CONFIG_…), which distributions
	// put beside it; "" if there is none.
	Config string
}

// downloadTime bounds the downloads of one entry, and those that leases lead to.
const downloadTime = 10 * time.Minute

// Keep removes the downloads that an entry does not name, so that those of an
// entry that failed leave their memory to the next.
func (f *Found) Keep(e *entry.Entry) {
	files := append([]entry.File{e.Kernel}, e.Initrds...)
	if e.DeviceTree != nil {
		files = append(files, *e.DeviceTree)
	}
	var urls []string
	for _, file := range files {
		if file.Volume == nil {
			urls = append(urls, file.Name, file.Else)
		}
	}
	if err := f.cache.Keep(urls...); err != nil {
		f.debug("downloads: %v", err)
	}
}

// Files returns the names of an entry's files. It downloads those that are on
// the network, for ten minutes at most, and opens none of those on disks. Errors
// wrap those of pkg/fetch, or entry.ErrConfig.
func (f *Found) Files(ctx context.Context, e *entry.Entry) (Files, error) {
	ctx, cancel := context.WithTimeout(ctx, downloadTime)
	defer cancel()
	var out Files
	var err error
	if out.Kernel, err = f.file(ctx, e.Kernel); err != nil {
		return Files{}, err
	}
	// The volume resolves links as the entry's boot loader would: on this
	// machine they may lead anywhere.
	if v := e.Kernel.Volume; v != nil {
		if name, err := v.Path(target.ConfigName(e.Kernel.Name)); err == nil {
			out.Config = name
		}
	}
	for _, i := range e.Initrds {
		name, err := f.file(ctx, i)
		if err != nil {
			return Files{}, err
		}
		out.Initrds = append(out.Initrds, name)
	}
	if e.DeviceTree != nil {
		if out.DeviceTree, err = f.file(ctx, *e.DeviceTree); err != nil {
			return Files{}, err
		}
	}
	return out, nil
}

func (f *Found) file(ctx context.Context, file entry.File) (string, error) {
	if file.Volume != nil {
		return file.Volume.Path(file.Name)
	}
	return loader.Get(file, func(url string) (string, error) { return f.cache.Get(ctx, url) })
}

// Close unmounts disks and removes downloads.
func (f *Found) Close() error {
	var errs []error
	for _, v := range f.volumes {
		if err := f.unmount(v); err != nil {
			errs = append(errs, fmt.Errorf("unmount: %w", err))
		}
	}
	f.volumes = nil
	return errors.Join(append(errs, f.cache.Close())...)
}
