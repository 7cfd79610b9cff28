// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package entry describes what can be booted: the entries of boot loaders'
// configurations, and the file systems that hold their files.
package entry

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/cmdline"
)

// A Config is the configuration of one boot loader.
type Config struct {
	// Kind names the loader: grub, bls, syslinux, petitboot, kboot, yaboot,
	// zipl, pxelinux, ipxe or url.
	Kind string
	// Source is the configuration file, as File.String returns it.
	Source string
	// Entries are in the order of the configuration.
	Entries []Entry
	// Default is the index of the entry that the loader would boot, or None
	// or Elsewhere.
	Default int
	// TookBLS lists the volumes whose entries of the Boot Loader
	// Specification are among Entries.
	TookBLS []*Volume
	// Timeout is how long the loader would wait for a key. It is nil if the
	// configuration does not say, and negative if the loader would wait for
	// ever.
	Timeout *time.Duration
	// Notes say what was left out, and why.
	Notes []string
}

// Values of Default that are not an index.
const (
	// None means that the configuration names no default, or one that does
	// not exist.
	None = -1
	// Elsewhere means that the loader would boot something that is not
	// offered here, such as another system, the local disk or the firmware.
	// No other entry may be booted instead unless somebody chooses it.
	Elsewhere = -2
)

// Notef adds a note. It drops notes after the first 100, and the end of a long one.
func (c *Config) Notef(format string, args ...any) {
	const most = 100        // a configuration may consist of nothing but mistakes
	const longest = 4 << 10 // bytes; names of files may be longer
	if len(c.Notes) >= most {
		return
	}
	note := fmt.Sprintf(format, args...)
	if len(note) > longest {
		note = strings.ToValidUTF8(note[:longest], "") + "..."
	}
	c.Notes = append(c.Notes, strings.Clone(note))
}

// An Entry is one bootable choice.
type Entry struct {
	// ID is the entry's identifier in the configuration, and Title the text
	// that the loader shows. Either may be empty.
	ID, Title string
	Kernel    File
	// Initrds are passed to the kernel concatenated, in this order.
	Initrds []File
	// DeviceTree is nil if the running kernel's device tree is to be used.
	DeviceTree *File
	Cmdline    string
}

// Name returns the title, the ID or the kernel, whichever exists first.
func (e *Entry) Name() string {
	for _, s := range []string{e.Title, e.ID} {
		if s != "" {
			return s
		}
	}
	return e.Kernel.String()
}

// Key returns a string that is equal for entries that would boot the same.
func (e *Entry) Key() string {
	tree := ""
	if e.DeviceTree != nil {
		tree = e.DeviceTree.String()
	}
	// Some loaders leave their own initrd= parameter to a kernel, which
	// ignores it.
	var words []string
	for w := range cmdline.Words(e.Cmdline) {
		if !w.Is("initrd") {
			words = append(words, w.Text)
		}
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", e.Kernel, e.Initrds, tree, words))
	return string(sum[:])
}

// A File is a file that an entry names.
type File struct {
	// Volume is the file system of the file, or nil for a file on the
	// network.
	Volume *Volume
	// Name is the path from the file system's root, or a URL.
	Name string
	// Else is the URL to use if the server has no file for the URL Name. It
	// may be empty.
	Else string
}

// String returns DEVICE:PATH, or the URL without user and password.
func (f File) String() string {
	if f.Volume == nil {
		return Redact(f.Name)
	}
	return f.Volume.Device + ":" + f.Name
}

// Printable returns a text from a configuration in a form that is safe to print
// on a console: everything but printable characters is escaped.
func Printable(s string) string { return human.Printable(s) }
