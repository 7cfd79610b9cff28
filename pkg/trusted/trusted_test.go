// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package trusted

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("four"), 0o600); err != nil {
		t.Fatal(err)
	}
	link, pipe, open := filepath.Join(dir, "link"), filepath.Join(dir, "pipe"), filepath.Join(dir, "open")
	if err := errors.Join(os.Symlink(file, link), syscall.Mkfifo(pipe, 0o600), os.WriteFile(open, []byte("four"), 0o600), os.Chmod(open, 0o620)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, file string
		limit      int64
		is         error
		want       string
	}{
		{"fits", file, 4, nil, ""},
		{"too long", file, 3, ErrUntrusted, "no regular file of at most 3 bytes"},
		{"link", link, 4, ErrUntrusted, "is a link"},
		{"others can write to it", open, 4, ErrUntrusted, "others can write to it"},
		{"pipe", pipe, 4, ErrUntrusted, "no regular file"},
		{"directory", dir, 4, ErrUntrusted, "no regular file"},
		{"none", filepath.Join(dir, "none"), 4, fs.ErrNotExist, "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := ReadFile(tt.file, tt.limit)
			if tt.is == nil {
				if err != nil || string(b) != "four" {
					t.Errorf("%q, %v", b, err)
				}
				return
			}
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestCheckDir(t *testing.T) {
	dir := t.TempDir()
	mine, open, link, file := filepath.Join(dir, "mine"), filepath.Join(dir, "open"), filepath.Join(dir, "link"), filepath.Join(dir, "file")
	if err := errors.Join(os.Mkdir(mine, 0o700), os.Mkdir(open, 0o700), os.Chmod(open, 0o777), os.Symlink(mine, link), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		dir string
		is  error
	}{{mine, nil}, {open, ErrUntrusted}, {link, ErrUntrusted}, {file, ErrUntrusted}, {filepath.Join(dir, "none"), fs.ErrNotExist}} {
		if err := CheckDir(tt.dir); !errors.Is(err, tt.is) {
			t.Errorf("%s: error %v, want %v", tt.dir, err, tt.is)
		}
	}
}
