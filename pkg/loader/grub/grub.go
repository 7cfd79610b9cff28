// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package grub executes the configuration of GRUB 2, grub.cfg, which is a
// script (https://www.gnu.org/software/grub/manual/grub/), and reports what
// GRUB would offer and what it would boot by default.
//
// It does not use pkg/boot/grub of u-root, which reads the file line by line:
// that takes both branches of an if, knows few variables and no submenus,
// passes on only one initrd, and takes names of partitions for labels.
package grub

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

// places are where configurations are found: on the root file system, on a file
// system that is /boot, and on an EFI system partition. In btrfs the root file
// system may be a subvolume; those of Ubuntu, Debian, SUSE and Fedora come first.
// A * stands for any name. The last is the root of a file system: no
// distribution's GRUB looks there, but Petitboot does.
var places = []string{
	"boot/grub", "grub", "boot/grub2", "grub2", "EFI/*",
	"@/boot/grub", "@rootfs/boot/grub", "@/boot/grub2", "root/boot/grub2", "*/boot/grub", "*/boot/grub2",
	"",
}

// Parse executes the first configuration of a volume that makes entries. all
// are the volumes that its searches can find.
//
// If no configuration makes entries, Parse returns one with notes that say why.
// An error that wraps fs.ErrNotExist means that the volume has no
// configuration; all other errors wrap entry.ErrConfig.
func Parse(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	var empty *entry.Config
	var wrong error
	var seen []string // several names and places may lead to one file
	total := 0
	for _, place := range places {
		for _, name := range find(v, path.Join(place, "grub.cfg")) {
			file, err := v.Resolve(name)
			if err != nil || slices.Contains(seen, file) {
				continue
			}
			if total > maxTotal && empty != nil {
				empty.Notef("more than %d bytes are read or made by this and others: other configurations are not read", maxTotal)
				return empty, nil
			}
			seen = append(seen, file)
			c, work, err := parse(v, all, name)
			total += work
			switch {
			case err != nil:
				wrong = errors.Join(wrong, err)
			case len(c.Entries) > 0:
				return c, nil
			case empty == nil:
				empty = c
			}
		}
	}
	switch {
	case empty != nil && wrong != nil:
		empty.Notef("%v", wrong)
		return empty, nil
	case empty != nil || wrong != nil:
		return empty, wrong
	}
	return nil, fmt.Errorf("%w: %s: no grub.cfg: %w", entry.ErrConfig, v.Device, fs.ErrNotExist)
}

// find returns the regular files that match a pattern, ignoring case.
func find(v *entry.Volume, pattern string) []string {
	const most = 100 // directories under EFI, or subvolumes
	at := []string{""}
	for part := range strings.SplitSeq(pattern, "/") {
		var next []string
		for _, dir := range at {
			names := v.List("/" + dir)
			if slices.Contains(names, part) {
				names = []string{part}
			}
			for _, name := range names {
				if (part == "*" || strings.EqualFold(name, part)) && len(next) < most {
					next = append(next, dir+"/"+name)
				}
			}
		}
		at = next
	}
	return slices.DeleteFunc(at, func(name string) bool { return !v.Exists(name) })
}

// parse executes one configuration, and returns how much work that was.
func parse(v *entry.Volume, all entry.Volumes, name string) (c *entry.Config, work int, err error) {
	if _, err := v.ReadConfig(name); err != nil {
		return nil, 0, err
	}
	f := entry.File{Volume: v, Name: name}
	in := newInterpreter(v, all, f, runtime.GOARCH)
	_, err = in.runFile(position{file: f.String()}, "("+v.Device+")"+name)
	const commandWork = maxWork / maxCommands
	work = in.work + in.commands*commandWork
	in.finish(err)
	return in.config, work + in.work + in.commands*commandWork, nil
}

// finish makes a configuration of what a script did.
func (in *interpreter) finish(err error) {
	m := in.menu
	if in.shown != nil {
		m = in.shown
	}
	in.config.Timeout = timeout(m.environment)
	isDefault := true
	switch {
	case errors.Is(err, errBoot):
		in.append(in.target.entry("", ""), true)
		return
	case errors.Is(err, errLeave):
		in.config.Notef("%s ends without a menu", printable(in.config.Source))
		isDefault = false
	}
	// Entries have bounds of their own, which apply even if the script exceeded
	// its.
	in.commands, in.work = 0, 0
	_ = in.offer(m, "", 0, isDefault) // a note says what stopped it
	if !isDefault && len(in.config.Entries) > 0 {
		in.noDefault(entry.Elsewhere)
	}
}

// newInterpreter returns a GRUB that has found its configuration. arch is the
// architecture, as GOARCH has it.
func newInterpreter(v *entry.Volume, all entry.Volumes, f entry.File, arch string) *interpreter {
	if !slices.Contains(all, v) {
		all = append(entry.Volumes{v}, all...)
	}
	e := &environment{variables: map[string]value{}}
	in := &interpreter{
		config:      &entry.Config{Kind: "grub", Source: f.String(), Default: entry.None},
		volumes:     all,
		start:       v,
		builtins:    builtins(),
		environment: e,
		functions:   map[string]*function{},
		menu:        newMenu(e),
	}
	in.locateAll(f, arch)
	in.affords()
	in.work = 0 // what was looked up before is not the script's
	return in
}

// timeout returns nil if the script sets none. A timeout that is no number is
// forever, as in GRUB, where -1 is used for that. The style of the timeout
// changes what is shown, not when the default is booted.
func timeout(e *environment) *time.Duration {
	v := e.lookup("timeout")
	if !v.set {
		return nil
	}
	n, _, ok := number(v.text)
	if !ok {
		n = -1
	}
	d := time.Duration(n) * time.Second
	return &d
}
