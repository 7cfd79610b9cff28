// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package trusted reads files that only the running user can have written:
// what an earlier run of imaboot, or an earlier kernel, left for this one.
package trusted

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrUntrusted means that another user may have written a file, or that it is
// not what imaboot writes. Callers say what that means to them.
var ErrUntrusted = errors.New("not to be trusted")

// CheckDir refuses a directory that is a link, which may lead anywhere, or that
// other users own or can write to: its files are theirs. An error that wraps
// fs.ErrPermission means that the caller is not root.
func CheckDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is no directory", ErrUntrusted, dir)
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if ok && s.Uid == 0 && os.Geteuid() != 0 {
		return fs.ErrPermission
	}
	if !mine(info) {
		return fmt.Errorf("%w: the directory %s (%v) belongs to another user, or others can write to it", ErrUntrusted, dir, info.Mode())
	}
	return nil
}

// mine reports whether only the running user can write.
func mine(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}

// ReadFile reads a regular file of at most limit bytes that only the running
// user can write. It does not follow a link in the last part of the name.
func ReadFile(name string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%w: %s is a link", ErrUntrusted, name)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%w: %s is no regular file of at most %d bytes", ErrUntrusted, name, limit)
	}
	if !mine(info) {
		return nil, fmt.Errorf("%w: %s (%v) belongs to another user, or others can write to it", ErrUntrusted, name, info.Mode())
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUntrusted, name, err)
	}
	return b, nil
}
