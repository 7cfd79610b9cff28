// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestImports: the command decides nothing about a list. Only files that print
// values may know the packages of lists and plans.
func TestImports(t *testing.T) {
	printing := []string{"outcome.go", "progress.go", "report.go"}
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(printing, name) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if strings.HasSuffix(path, "/pkg/handover") || strings.HasSuffix(path, "/pkg/archdesc") {
				t.Errorf("%s imports %s: what it decides belongs to pkg/carry", name, path)
			}
		}
	}
}
