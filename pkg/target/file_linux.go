// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/budget"
)

// A File is a whole file in memory. It is mapped, not copied, where possible.
type File struct {
	Name string
	Data []byte

	memory *budget.Memory
	// mapping is the file's own pages, and block a buffer; either is nil.
	mapping []byte
	block   *budget.Block
}

// Open maps a regular file of at most that many bytes. The caller must close it.
// The file descriptor does not stay open. Loading a target copies it, so a mapping
// is charged to the memory, too. The error wraps ErrFile or budget.ErrTooLarge.
func Open(name string, most int64, m *budget.Memory) (*File, error) {
	size, err := sizeOf(name, most, m)
	if err != nil {
		return nil, err
	}
	if err := m.Take(name, size); err != nil {
		return nil, err
	}
	f, err := open(name, size)
	if err != nil {
		m.Give(size)
		return nil, err
	}
	defer f.Close()
	return mapOpen(f, name, size, m)
}

// Map does what Open does for a file that is open. It does not close it.
func Map(f *os.File, most int64, m *budget.Memory) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	size, err := usable(f.Name(), info, most, m)
	if err != nil {
		return nil, err
	}
	if err := m.Take(f.Name(), size); err != nil {
		return nil, err
	}
	return mapOpen(f, f.Name(), size, m)
}

// mapOpen maps a file whose size is taken from the memory.
func mapOpen(f *os.File, name string, size int64, m *budget.Memory) (*File, error) {
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err == nil {
		return &File{Name: name, Data: data, memory: m, mapping: data}, nil
	}
	m.Give(size)
	switch {
	case errors.Is(err, unix.ENODEV):
		// Files of sysfs, such as /sys/firmware/fdt, can only be read.
		return read(f, name, size, m)
	case errors.Is(err, unix.ENOMEM):
		return nil, budget.TooLarge(name, size, 0)
	}
	return nil, fmt.Errorf("%w: mmap %s: %w", ErrFile, name, err)
}

// sizeOf returns the size of a regular file that is not empty, and refuses one that
// is too large. It does not open the file: where IMA measures files that are
// opened, the kernel reads all of it then, also if that takes a day.
func sizeOf(name string, most int64, m *budget.Memory) (int64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrFile, err)
	}
	return usable(name, info, most, m)
}

// usable returns the size of a file that sizeOf does not refuse.
func usable(name string, info os.FileInfo, most int64, m *budget.Memory) (int64, error) {
	size, most := info.Size(), max(min(most, m.Left()), 0)
	switch {
	case !info.Mode().IsRegular():
		return 0, fmt.Errorf("%w: %s is no regular file", ErrFile, name)
	case size == 0:
		return 0, fmt.Errorf("%w: %s is empty", ErrFile, name)
	case size > most:
		return 0, budget.TooLarge(name, size, most)
	}
	return size, nil
}

// open opens a regular file that has a size.
func open(name string, size int64) (*os.File, error) {
	// Do not wait for a writer if it is a pipe.
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		err = fmt.Errorf("%w: %w", ErrFile, err)
	case !info.Mode().IsRegular() || info.Size() != size:
		err = fmt.Errorf("%w: %s changed while it was opened", ErrFile, name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// read copies a file.
func read(f *os.File, name string, size int64, m *budget.Memory) (*File, error) {
	b, err := m.Bytes(name, size)
	if err != nil {
		return nil, err
	}
	if err := fill(f, b.Bytes()); err != nil {
		return nil, errors.Join(err, b.Free())
	}
	return &File{Name: name, Data: b.Bytes(), memory: m, block: b}, nil
}

// fill reads as much as the file had when its size was asked for.
func fill(f *os.File, p []byte) error {
	if _, err := io.ReadFull(f, p); err != nil {
		return fmt.Errorf("%w: read %s: %w", ErrFile, f.Name(), err)
	}
	return nil
}

// Join reads several files into one buffer, which is allocated once. Each begins
// at a multiple of align, a power of 2. whole is the buffer, which the caller must
// close; the Data of the parts lie in it. The error is one of Open.
func Join(names []string, align int64, m *budget.Memory) (whole *File, parts []*File, err error) {
	var total int64
	var sizes, starts []int64
	for _, name := range names {
		// What is too large is said before any file is opened.
		size, err := sizeOf(name, m.Left()-total, m)
		if err != nil {
			return nil, nil, err
		}
		total += -total & (align - 1)
		sizes, starts = append(sizes, size), append(starts, total)
		total += size
	}
	name := strings.Join(names, " ")
	b, err := m.Bytes(name, total)
	if err != nil {
		return nil, nil, err
	}
	for i, name := range names {
		p := b.Bytes()[starts[i]:][:sizes[i]:sizes[i]]
		if err := readInto(p, name); err != nil {
			return nil, nil, errors.Join(err, b.Free())
		}
		parts = append(parts, &File{Name: name, Data: p})
	}
	return &File{Name: name, Data: b.Bytes(), memory: m, block: b}, parts, nil
}

// readInto reads a whole file that has as many bytes as p.
func readInto(p []byte, name string) error {
	f, err := open(name, int64(len(p)))
	if err != nil {
		return err
	}
	return errors.Join(fill(f, p), f.Close())
}

// Copy replaces the mapping by a copy, which nothing outside can change. The
// error wraps budget.ErrTooLarge.
func (f *File) Copy() error {
	if f.mapping == nil {
		return nil
	}
	b, err := f.memory.Bytes("a copy of "+f.Name, int64(len(f.mapping)))
	if err != nil {
		return err
	}
	copy(b.Bytes(), f.mapping)
	if err := f.unmap(); err != nil {
		return errors.Join(err, b.Free())
	}
	f.Data, f.block = b.Bytes(), b
	return nil
}

// Release takes the whole pages before to, from the one with from on, out of
// memory. Reading them again brings them back from the file. It does nothing to
// a copy.
func (f *File) Release(from, to int) {
	page := os.Getpagesize()
	from, to = from/page*page, to/page*page
	if from < to && to <= len(f.mapping) {
		_ = unix.Madvise(f.mapping[from:to], unix.MADV_DONTNEED) // saves memory at best
	}
}

func (f *File) unmap() error {
	if f.mapping == nil {
		return nil
	}
	err := unix.Munmap(f.mapping)
	f.memory.Give(int64(len(f.mapping)))
	f.mapping = nil
	return err
}

// Close gives the memory back. The file's Data must not be used afterwards.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	f.Data = nil
	err := errors.Join(f.unmap(), f.block.Free())
	f.block = nil
	return err
}
