// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package menu

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunShell runs the first shell that exists on a console, here a file.
func TestRunShell(t *testing.T) {
	dir := t.TempDir()
	shell, console := filepath.Join(dir, "sh"), filepath.Join(dir, "console")
	if err := os.WriteFile(shell, []byte("#!/bin/sh\necho typed\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(console, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	defer func(before []string) { shells = before }(shells)
	shells = []string{filepath.Join(dir, "none"), shell}
	said := ""
	log := func(format string, args ...any) { said = fmt.Sprintf(format, args...) }
	if err := RunShellOn(console, log); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(console); err != nil || string(b) != "typed\n" || said != shell+": exit to come back" {
		t.Errorf("%q, %v; said %q", b, err, said)
	}
	shells = shells[:1]
	if err := RunShellOn(console, log); err == nil || !strings.Contains(err.Error(), "none of") {
		t.Errorf("error %v", err)
	}
	if err := RunShellOn(filepath.Join(dir, "no console"), log); err == nil {
		t.Error("a shell ran on nothing")
	}
}
