// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A File is a whole file in memory. It is mapped, not copied, where possible.
type File struct {
	Name   string
	Data   []byte
	mapped bool
}

// Open maps a regular file, which the caller must close. The file descriptor
// does not stay open. Its errors wrap ErrFile.
func Open(name string) (*File, error) {
	// Do not wait for a writer if it is a pipe.
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is no regular file", ErrFile, name)
	case info.Size() == 0:
		return nil, fmt.Errorf("%w: %s is empty", ErrFile, name)
	case int64(int(info.Size())) != info.Size():
		return nil, fmt.Errorf("%w: %s has %d bytes, too large", ErrFile, name, info.Size())
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	if errors.Is(err, unix.ENODEV) {
		// Files of sysfs, such as /sys/firmware/fdt, can only be read.
		if data, err = os.ReadFile(name); err == nil {
			return &File{Name: name, Data: data}, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: mmap %s: %w", ErrFile, name, err)
	}
	return &File{Name: name, Data: data, mapped: true}, nil
}

// Copy replaces the mapping by a copy, which nothing outside can change.
func (f *File) Copy() error {
	if !f.mapped {
		return nil
	}
	mapping := f.Data
	f.Data, f.mapped = append([]byte(nil), mapping...), false
	return unix.Munmap(mapping)
}

// Release takes the whole pages before to, from the one with from on, out of
// memory. Reading them again brings them back from the file. It does nothing to
// a copy.
func (f *File) Release(from, to int) {
	if !f.mapped {
		return
	}
	page := os.Getpagesize()
	from, to = from/page*page, to/page*page
	if from < to && to <= len(f.Data) {
		_ = unix.Madvise(f.Data[from:to], unix.MADV_DONTNEED) // saves memory at best
	}
}

// Close unmaps the file. Its Data must not be used afterwards.
func (f *File) Close() error {
	if f == nil || f.Data == nil {
		return nil
	}
	data := f.Data
	f.Data = nil
	if !f.mapped {
		return nil
	}
	return unix.Munmap(data)
}
