// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kernel")
	if err := os.WriteFile(path, []byte("kernel"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(f.Data) != "kernel" {
		t.Errorf("data %q", f.Data)
	}
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct{ name, want string }{
		{filepath.Join(dir, "none"), "no such file"},
		{dir, "is no regular file"},
		{empty, "is empty"},
	} {
		if _, err := Open(tt.name); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestRelease: what was released can be read again, and ranges beyond the file
// do no harm.
func TestRelease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kernel")
	content := strings.Repeat("kernel\n", 10000)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 2 {
		for _, r := range [][2]int{{0, len(content)}, {5000, 60000}, {3, 4}, {60000, 1 << 30}, {9000, 8}} {
			f.Release(r[0], r[1])
			if string(f.Data) != content {
				t.Fatalf("%v: other content", r)
			}
		}
		// A copy has no file to come back from.
		if err := f.Copy(); err != nil {
			t.Fatal(err)
		}
	}
}
