// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package syslinux reads the configurations of SYSLINUX, EXTLINUX and ISOLINUX
// on disks, and of PXELINUX on servers.
//
// It does not use pkg/boot/syslinux of u-root, which concatenates several
// initrds to one stream without names, and does not return labels, the timeout,
// or whether there is a default. It follows links out of the volume, overflows
// the stack on a file that includes itself, and logs every file completely.
package syslinux

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// files are in the order of SYSLINUX's documentation, then where U-Boot looks,
// then where Alpine's update-extlinux writes, and last beside an EFI program.
var files = []string{
	"boot/syslinux/syslinux.cfg", "syslinux/syslinux.cfg", "syslinux.cfg",
	"boot/extlinux/extlinux.conf", "extlinux/extlinux.conf", "extlinux.conf",
	"boot/syslinux/extlinux.conf", "syslinux/extlinux.conf",
	"boot/isolinux/isolinux.cfg", "isolinux/isolinux.cfg", "isolinux.cfg",
	"boot/extlinux.conf", "boot/syslinux.cfg",
	"EFI/syslinux/syslinux.cfg", "EFI/BOOT/syslinux.cfg",
}

const (
	// maxDepth is how deep included files may be nested.
	maxDepth = 8
	// maxFiles is how many files may be included in all.
	maxFiles = 64
)

// A reader reads one configuration and the files it includes, as
// https://wiki.syslinux.org/wiki/index.php?title=Config describes it, with the
// fdt key of U-Boot. It ignores modules, their arguments, and what they do to
// the screen.
type reader struct {
	*entry.Config
	// locate finds a file that the configuration names.
	locate func(loader.Ref) (entry.File, error)
	// load reads an included file.
	load func(context.Context, entry.File) ([]byte, error)
	// on is the configuration's volume, empty on the network.
	on []*entry.Volume
	// pxe is nil on a disk.
	pxe *PXE

	menu   menu
	at     *label // what directives belong to, nil outside of labels
	global label  // APPEND and SYSAPPEND for all labels
	depth  int    // of submenus
	files  int    // that are included
}

// Parse reads a volume's configuration of SYSLINUX, EXTLINUX or ISOLINUX. The
// timeout is in tenths of a second, and 0 waits forever.
//
// An error that wraps fs.ErrNotExist means that the volume has no such file;
// all errors wrap entry.ErrConfig.
func Parse(v *entry.Volume, _ entry.Volumes) (*entry.Config, error) {
	s, err := loader.Open("syslinux", v, files)
	if err != nil {
		return nil, err
	}
	x := &reader{
		Config: s.Config, on: []*entry.Volume{v}, menu: menu{implicit: true}, locate: s.Locate,
		load: func(_ context.Context, f entry.File) ([]byte, error) { return f.Volume.ReadConfig(f.Name) },
	}
	if err := x.read(context.Background(), s.Source, []byte(s.Text), 0); err != nil {
		return nil, err
	}
	x.menu.labels = loader.Bounded(s.Config, x.menu.labels)
	x.finish()
	return x.Config, nil
}

// finish makes entries of the labels, and chooses the default.
func (x *reader) finish() {
	for _, l := range x.menu.labels {
		x.add(l)
	}
	x.menu.choose(x.Config, x.command)
}

// exceeded handles a bound that a configuration exceeds. One on a disk is read
// as far as it goes, with a note; one from the network is refused.
func (x *reader) exceeded(where, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if x.pxe != nil {
		return fmt.Errorf("%w: %s: %s", entry.ErrConfig, where, text)
	}
	x.Notef("%s: %s", where, text)
	return nil
}

// read takes one file's lines. nested is how many files include it.
func (x *reader) read(ctx context.Context, file string, text []byte, nested int) error {
	if x.pxe != nil {
		if err := loader.CheckText(text); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	inText := false // between TEXT and ENDTEXT; it ends with its file
	for _, l := range loader.Lines(file, strings.TrimPrefix(string(text), "\xef\xbb\xbf"), false) {
		key, value := split(l.Text)
		switch {
		case inText:
			inText = key != "endtext"
		case key == "text":
			inText = true
		case key == "include" || key == "menu include":
			if err := x.include(ctx, l, value, nested); err != nil {
				return err
			}
		case key == "label":
			if err := x.label(l, value); err != nil {
				return err
			}
		case !x.menu.set(key, value, x.depth):
			x.directive(l, key, value)
		}
	}
	return nil
}

// assigned are the directives that an equals sign may follow.
var assigned = []string{"kernel", "linux", "initrd", "append"}

// split splits a line into a directive in lower case and its value. A directive
// of the menu programs is "menu" and a word.
func split(line string) (key, value string) {
	// Some write initrd=FILE in a line of its own; for firmware of s390x MAAS
	// writes KEY=VALUE for all that a label boots.
	if key, value, found := strings.Cut(line, "="); found && slices.Contains(assigned, strings.ToLower(key)) {
		return strings.ToLower(key), value
	}
	key, value = loader.FirstWord(line)
	if key = strings.ToLower(key); key == "menu" {
		word, rest := loader.FirstWord(value)
		key, value = "menu "+strings.ToLower(word), rest
	}
	return key, value
}

// label begins a label.
func (x *reader) label(l loader.Line, name string) error {
	x.at = &label{name: name, depth: x.depth, where: l.Where, appended: x.global.appended, sysappend: x.global.sysappend}
	switch n := len(x.menu.labels); {
	case n == loader.MaxEntries && x.pxe != nil:
		return x.exceeded(l.Where, "more than %d labels", loader.MaxEntries)
	case n <= loader.MaxEntries: // one more than there may be makes a note
		x.menu.labels = append(x.menu.labels, x.at)
	}
	return nil
}

// include reads a file in the place of a line. A word behind its name makes a
// submenu of the file, even if it cannot be read.
func (x *reader) include(ctx context.Context, l loader.Line, value string, nested int) error {
	if x.files == maxFiles || nested == maxDepth {
		return x.exceeded(l.Where, "more than %d files are included, or nested deeper than %d", maxFiles, maxDepth)
	}
	x.files++
	name, tag := loader.FirstWord(value)
	if tag == "" {
		return x.includeFile(ctx, l, name, nested)
	}
	outer := x.depth
	x.at = nil
	x.depth++
	err := x.includeFile(ctx, l, name, nested)
	x.at, x.depth = nil, outer
	return err
}

// includeFile reads a file. One that cannot be read is ignored with a note, as
// SYSLINUX does.
func (x *reader) includeFile(ctx context.Context, l loader.Line, name string, nested int) error {
	f, err := x.locate(x.ref(name))
	var text []byte
	if err == nil {
		text, err = x.load(ctx, f)
	}
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		x.Notef("%s: include: %v", l.Where, err)
		return nil
	}
	return x.read(ctx, entry.Printable(f.String()), text, nested+1)
}

func (x *reader) ref(name string) loader.Ref { return loader.Ref{On: x.on, Name: name} }

// directive takes a line that is about labels, menus or the time to wait.
func (x *reader) directive(l loader.Line, key, value string) {
	switch key {
	case "timeout":
		x.timeout(l, value)
	case "append":
		value = appendValue(value)
		if x.at != nil {
			x.at.appended = value // in place of the global one
		} else {
			x.global.appended = value
		}
	case "ipappend", "sysappend":
		x.setSysappend(l, key, value)
	case "menu begin":
		x.at = nil // what follows is about a menu
		x.depth++
	case "menu end":
		x.at = nil
		x.depth = max(0, x.depth-1)
	case "menu separator":
		x.at = nil // it ends a label
	default:
		if x.at != nil {
			x.set(x.at, l, key, value)
		}
	}
}

// timeout takes the value of the top menu.
func (x *reader) timeout(l loader.Line, value string) {
	if x.depth > 0 {
		return
	}
	value, _ = loader.FirstWord(value)
	if x.Timeout = loader.Timeout(x.Config, l, value, time.Second/10); x.Timeout != nil && *x.Timeout == 0 {
		*x.Timeout = -1
	}
}
