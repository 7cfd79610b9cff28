// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

const (
	// maxEntries bounds what one configuration makes.
	maxEntries = 1000
	// maxCmdline bounds a command line; a kernel takes some kilobytes.
	maxCmdline = 1 << 16
	// maxInitrds bounds an entry's.
	maxInitrds = 64
)

// A source is a configuration's file and what comes of it.
type source struct {
	*entry.Config
	volume *entry.Volume
	dir    string // of the file, for names that are relative
	text   string
	// elsewhere are IDs of what is there, but is not offered.
	elsewhere map[string]bool
}

// find opens the first of several files that a volume has.
func find(kind string, v *entry.Volume, names []string) (*source, error) {
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
		return &source{c, v, "/" + path.Dir(name), string(b), map[string]bool{}}, nil
	}
	return nil, fmt.Errorf("%w: %s: no %s: %w", entry.ErrConfig, v.Device, strings.Join(names, ", "), fs.ErrNotExist)
}

// A line is one that is neither empty nor a comment, without blanks around it.
type line struct {
	where string // FILE:NUMBER, for notes
	text  string
}

// lines splits a text; where joins says so a backslash at a line's end joins it
// with the next one.
func lines(file, text string, joins bool) []line {
	var all []line
	number, joined := 0, ""
	var start int
	for s := range strings.Lines(text) {
		number++
		s = strings.TrimSpace(s)
		if joined == "" {
			start = number
			if strings.HasPrefix(s, "#") {
				continue
			}
		}
		if head, ok := strings.CutSuffix(s, `\`); joins && ok && len(joined) < maxCmdline {
			joined += strings.TrimSpace(head) + " "
			continue
		}
		if s = strings.TrimSpace(joined + s); s != "" {
			all = append(all, line{fmt.Sprintf("%s:%d", file, start), s})
		}
		joined = ""
	}
	if joined = strings.TrimSpace(joined); joined != "" {
		all = append(all, line{fmt.Sprintf("%s:%d", file, start), joined})
	}
	return all
}

// pair splits KEY=VALUE. What is behind a quoted value is a comment. Without
// an equals sign the key is all.
func (s *source) pair(l line) (key, value string) {
	key, value, _ = strings.Cut(l.text, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if value == "" || !strings.ContainsRune(`"'`, rune(value[0])) {
		return key, value
	}
	quoted, _, closed := strings.Cut(value[1:], value[:1])
	if !closed {
		s.Notef("%s: a quote is not closed", l.where)
	}
	return key, quoted
}

// wait is a time to wait for a key, in units.
func (s *source) wait(l line, value string, unit time.Duration) *time.Duration {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		s.Notef("%s: timeout %q", l.where, value)
		return nil
	}
	d := time.Duration(n) * unit
	return &d
}

// bounded are the first of what would make entries.
func bounded[T any](s *source, all []T) []T {
	if len(all) > maxEntries {
		s.Notef("%s: only the first %d entries are read", s.Source, maxEntries)
		return all[:maxEntries]
	}
	return all
}

// A ref is a file as a configuration names it, and the volumes that it may be
// on: the one that is meant, and others.
type ref struct {
	on   []*entry.Volume
	name string
}

// here is a file on the configuration's own volume.
func (s *source) here(name string) ref { return ref{[]*entry.Volume{s.volume}, name} }

// locate finds a file. A name that is relative is so to the configuration, or
// to the root. Where /boot is a file system of its own names may have /boot in
// front or lack it; on another volume than the one that is meant they have
// /boot in front only if the volume is not mounted there.
func (s *source) locate(r ref) (entry.File, error) {
	name := path.Join("/", r.name)
	other := "/boot" + name
	if in, ok := strings.CutPrefix(name, "/boot/"); ok {
		other = "/" + in
	}
	var first error
	for i, v := range r.on {
		names := []string{name, other}
		if i > 0 {
			slices.Reverse(names)
		}
		if !path.IsAbs(r.name) {
			names = append([]string{path.Join(s.dir, r.name)}, names...)
		}
		for _, name := range names {
			_, err := v.Path(name)
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
	return entry.File{}, fmt.Errorf("%q: %w", r.name, first)
}

// A choice is an entry before its files are found.
type choice struct {
	where, id, title string
	kernel           ref
	initrds          []ref
	tree             *ref
	cmdline          string
}

// build makes an entry.
func (s *source) build(ch choice) (e entry.Entry, err error) {
	e = entry.Entry{ID: ch.id, Title: ch.title, Cmdline: strings.TrimSpace(ch.cmdline)}
	if len(ch.cmdline) > maxCmdline {
		return e, fmt.Errorf("a command line of more than %d bytes", maxCmdline)
	}
	if len(ch.initrds) > maxInitrds {
		return e, fmt.Errorf("more than %d initrds", maxInitrds)
	}
	if e.Kernel, err = s.locate(ch.kernel); err != nil {
		return e, fmt.Errorf("kernel: %w", err)
	}
	for _, r := range ch.initrds {
		f, err := s.locate(r)
		if err != nil {
			return e, fmt.Errorf("initrd: %w", err)
		}
		e.Initrds = append(e.Initrds, f)
	}
	if ch.tree != nil {
		f, err := s.locate(*ch.tree)
		if err != nil {
			return e, fmt.Errorf("device tree: %w", err)
		}
		e.DeviceTree = &f
	}
	return e, nil
}

// add adds an entry, or a note why it is left out.
func (s *source) add(ch choice) error {
	e, err := s.build(ch)
	if err != nil {
		s.leaveOut(ch.where, ch.id, "%w", err)
		return err
	}
	s.Entries = append(s.Entries, e)
	return nil
}

// leaveOut notes why what the configuration has is no entry. Files that are
// not there make it one of an installation that is gone.
func (s *source) leaveOut(where, id, format string, args ...any) {
	err := fmt.Errorf(format, args...)
	s.elsewhere[id] = s.elsewhere[id] || !errors.Is(err, fs.ErrNotExist)
	s.Notef("%s: %q is left out: %v", where, id, err)
}

// choose makes the entry of an ID the default.
func (s *source) choose(id string) {
	s.Default = slices.IndexFunc(s.Entries, func(e entry.Entry) bool { return e.ID == id })
	switch {
	case s.Default >= 0:
	case s.elsewhere[id]:
		s.Default = entry.Elsewhere
	default:
		s.Default = entry.None
	}
}

// others are all volumes but one, those on the same disk first.
func others(v *entry.Volume, all entry.Volumes) []*entry.Volume {
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
