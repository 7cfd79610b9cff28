// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package faults says whether tests can provoke the fault of a mapped file.
package faults

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"golang.org/x/sys/unix"
)

// Need maps a file, shortens it, and touches it. It skips the test in an emulator
// that does not pass on the address of the fault.
func Need(t *testing.T) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "mapped"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := os.Getpagesize()
	if err := f.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(data)
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if !hasAddress(data) {
		t.Skip("this emulator does not tell where a fault was")
	}
}

func hasAddress(data []byte) (ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { _, ok = recover().(interface{ Addr() uintptr }) }()
	_ = bytes.Clone(data)
	return false
}
