// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// A Source is a configuration's file on a volume, and the Config that is made
// of it.
type Source struct {
	*entry.Config
	Volume *entry.Volume
	// Text is the file's content.
	Text string

	paths Paths
	dir   string // of the file, for relative names
	// elsewhere holds the IDs of choices that exist but cannot be offered.
	elsewhere map[string]bool
}

// Open reads the first of the named files that the volume has. The error wraps
// entry.ErrConfig, and fs.ErrNotExist if the volume has none of them.
func Open(kind string, v *entry.Volume, names []string) (*Source, error) {
	for _, name := range names {
		if !v.Exists(name) {
			continue
		}
		b, err := v.ReadConfig(name)
		if err != nil {
			return nil, err
		}
		f := entry.File{Volume: v, Name: "/" + name}
		c := &entry.Config{Kind: kind, Source: f.String(), Default: entry.None}
		return &Source{Config: c, Volume: v, Text: string(b), dir: "/" + path.Dir(name), elsewhere: map[string]bool{}}, nil
	}
	return nil, fmt.Errorf("%w: %s: no %s: %w", entry.ErrConfig, v.Device, strings.Join(names, ", "), fs.ErrNotExist)
}

// Here is a file on the configuration's own volume.
func (s *Source) Here(name string) Ref { return Ref{[]*entry.Volume{s.Volume}, name} }

// Locate finds a file. A relative name is looked up in the directory of the
// configuration, then in the root.
//
// If /boot is a file system of its own, names may begin with /boot or lack it.
// So both forms are tried: on the first volume of the Ref the name as it is
// written, on others the other form first, because /boot is a prefix there only
// if the volume is not mounted at /boot.
func (s *Source) Locate(r Ref) (entry.File, error) {
	name := path.Join("/", r.Name)
	other := "/boot" + name
	if in, ok := strings.CutPrefix(name, "/boot/"); ok {
		other = "/" + in
	}
	var first error
	for i, v := range r.On {
		names := []string{name, other}
		if i > 0 {
			slices.Reverse(names)
		}
		if !path.IsAbs(r.Name) {
			names = append([]string{path.Join(s.dir, r.Name)}, names...)
		}
		for _, name := range names {
			_, err := s.paths.Path(v, name)
			if err == nil {
				return entry.File{Volume: v, Name: name}, nil
			}
			if first == nil {
				first = err
			}
		}
	}
	if first == nil {
		first = fmt.Errorf("no such file system: %w", fs.ErrNotExist)
	}
	return entry.File{}, fmt.Errorf("%q: %w", r.Name, first)
}

// Add adds an entry, or a note that says why it is left out. It returns the
// reason in that case.
func (s *Source) Add(ch Choice) error {
	e, err := ch.Build(s.Locate)
	if err != nil {
		s.LeaveOut(ch.Where, ch.ID, "%w", err)
		return err
	}
	s.Entries = append(s.Entries, e)
	return nil
}

// LeaveOut notes why a choice is not offered. If its files are missing
// (fs.ErrNotExist), it is the remains of an installation, and Choose treats it
// as if it did not exist.
func (s *Source) LeaveOut(where, id, format string, args ...any) {
	err := fmt.Errorf(format, args...)
	s.elsewhere[id] = s.elsewhere[id] || !errors.Is(err, fs.ErrNotExist)
	s.Notef("%s: %q is left out: %v", where, id, err)
}

// Choose makes the entry with an ID the default. The default is
// entry.Elsewhere if that choice was left out, and entry.None if there is none.
func (s *Source) Choose(id string) {
	s.Default = slices.IndexFunc(s.Entries, func(e entry.Entry) bool { return e.ID == id })
	switch {
	case s.Default >= 0:
	case s.elsewhere[id]:
		s.Default = entry.Elsewhere
	default:
		s.Default = entry.None
	}
}
