// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package fileroot makes trees of files for tests, to be read in place of the
// root of a running system.
package fileroot

import (
	"os"
	"path/filepath"
	"testing"
)

// New makes files, path to content, under a new root.
func New(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	Add(t, root, files)
	return root
}

// Add makes files under a root, and the directories that they need.
func Add(t testing.TB, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
