// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package loader reads boot loaders' configurations within bounds. It holds
// what the packages below it share: lines of a file, the search for the files
// that a configuration names, and the limits of what one configuration may
// make.
package loader

import "github.com/imaboot/imaboot/pkg/entry"

// Bounds of what one configuration makes. They are far above what a real one
// needs, and keep a hostile one from taking all memory.
const (
	// MaxEntries is the number of entries.
	MaxEntries = 1000
	// MaxCmdline is the length of an entry's command line in bytes; kernels
	// take some kilobytes.
	MaxCmdline = 1 << 16
	// MaxInitrds is the number of an entry's initrds.
	MaxInitrds = 64
)

// Bounded returns the first MaxEntries of what would make entries. It adds a
// note to the configuration if there are more.
func Bounded[T any](c *entry.Config, all []T) []T {
	if len(all) > MaxEntries {
		c.Notef("%s: only the first %d entries are read", c.Source, MaxEntries)
		return all[:MaxEntries]
	}
	return all
}
