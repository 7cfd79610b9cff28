// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package loaders reads the configurations of loaders that have one file and
// no language: SYSLINUX, kboot, yaboot and zipl.
//
// It does not use pkg/boot/syslinux of u-root: several initrds come out as one
// stream without names, and labels, the timeout and whether there is a default
// not at all; files are opened outside of the volume where links lead there, a
// file that includes itself ends in a stack overflow, and every file is logged
// whole.
package loaders

import "github.com/imaboot/imaboot/pkg/entry"

// Formats are all of the package, in the order in which to ask for them. Parse
// reads one volume; the others may hold files that the configuration names. An
// error that wraps fs.ErrNotExist means that the volume has no such
// configuration; all errors wrap entry.ErrConfig.
var Formats = []struct {
	Kind  string
	Parse func(*entry.Volume, entry.Volumes) (*entry.Config, error)
}{
	{"syslinux", Syslinux},
	{"kboot", Kboot},
	{"yaboot", Yaboot},
	{"zipl", Zipl},
}
