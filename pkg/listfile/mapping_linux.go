// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package listfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/budget"
	"github.com/imaboot/imaboot/pkg/target"
)

// A mapping is a mapped file, which stays open.
type mapping struct {
	*target.File
	file   *os.File
	before unix.Stat_t // its state before it was mapped
}

// mapFile returns nil if Read has to read the file, or to say what is wrong with
// it. Files of the kernel say that they are empty.
func mapFile(name string) *mapping {
	if info, err := os.Stat(name); name == Stdin || err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil
	}
	// Do not wait for a writer if it has become a pipe.
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	m := &mapping{file: f}
	if err = unix.Fstat(int(f.Fd()), &m.before); err == nil {
		m.File, err = target.Map(f, maxFile, budget.New(maxFile))
	}
	if err != nil {
		f.Close()
		return nil
	}
	return m
}

// changed reports whether somebody wrote to the file. A write changes the time of
// the last change, which nobody can set.
func (m *mapping) changed() bool {
	var now unix.Stat_t
	err := unix.Fstat(int(m.file.Fd()), &now)
	return err != nil || now.Size != m.before.Size || now.Ctim != m.before.Ctim
}

// Close unmaps and closes the file.
func (m *mapping) Close() error { return errors.Join(m.File.Close(), m.file.Close()) }
