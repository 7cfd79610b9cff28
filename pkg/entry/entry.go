// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package entry holds what could be booted: entries of loaders'
// configurations, and the file systems that their files are in.
package entry

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/cmdline"
)

// A Config is one loader's configuration.
type Config struct {
	// Kind names the loader: grub, bls, syslinux, petitboot, kboot, yaboot,
	// zipl, pxelinux, ipxe or url.
	Kind string
	// Source is the configuration's file, as File.String has it.
	Source string
	// Entries are in the loader's order.
	Entries []Entry
	// Default is the entry that the loader would boot, or None or Elsewhere.
	Default int
	// TookBLS: the entries of the Boot Loader Specification on these volumes
	// are among Entries.
	TookBLS []*Volume
	// Timeout is how long the loader would wait for a key; nil if it does
	// not say. A negative one is for ever.
	Timeout *time.Duration
	// Notes say what was skipped, and why.
	Notes []string
}

// What a loader boots that is no entry of its Config.
const (
	// None: it names no entry that there is.
	None = -1
	// Elsewhere: it boots what is not offered here, as another system, a
	// local disk, or its firmware. Nothing else may take its place unasked.
	Elsewhere = -2
)

// Notef adds a note.
func (c *Config) Notef(format string, args ...any) {
	const most = 100 // of a configuration that is nothing but mistakes
	if len(c.Notes) < most {
		c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
	}
}

// An Entry is one choice.
type Entry struct {
	// ID is how the configuration itself names the entry, Title what it
	// shows; either may be empty.
	ID, Title string
	Kernel    File
	// Initrds are handed to the kernel one behind the other.
	Initrds []File
	// DeviceTree is nil for the running one.
	DeviceTree *File
	Cmdline    string
}

// Name is the title, or else the ID, or else the kernel.
func (e *Entry) Name() string {
	for _, s := range []string{e.Title, e.ID} {
		if s != "" {
			return s
		}
	}
	return e.Kernel.String()
}

// Key is the same for entries that would boot the same.
func (e *Entry) Key() string {
	tree := ""
	if e.DeviceTree != nil {
		tree = e.DeviceTree.String()
	}
	// Some loaders leave initrd=, which is theirs, to a kernel that passes over it.
	var words []string
	for w := range cmdline.Words(e.Cmdline) {
		if !w.Is("initrd") {
			words = append(words, w.Text)
		}
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", e.Kernel, e.Initrds, tree, words))
	return string(sum[:])
}

// A File is one of an entry's.
type File struct {
	// Volume is the file system, nil for a file on the network.
	Volume *Volume
	// Name is the path from the file system's root, or a URL.
	Name string
	// Else is the URL to take if there is no file at the URL Name; empty if
	// there is no other.
	Else string
}

// String is DEVICE:PATH, or the URL without a password.
func (f File) String() string {
	if f.Volume == nil {
		return Redact(f.Name)
	}
	return f.Volume.Device + ":" + f.Name
}

// Printable shows a text from a configuration on a console: what could control
// it is escaped.
func Printable(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`), `\\`, `\`)
}
