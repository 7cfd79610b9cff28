// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package suite

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// A Row is a test, or a subtest, of package integration that ./run test leaves
// to ./run test --all.
type Row struct {
	// Test is its name as go test prints it.
	Test string
	Why  string
}

// skipPattern is what go test -skip takes to leave out the tests of rows, each
// by its whole name.
func skipPattern(rows []Row) string {
	var patterns []string
	for _, r := range rows {
		parts := strings.Split(r.Test, "/")
		for i, p := range parts {
			parts[i] = "^" + regexp.QuoteMeta(p) + "$"
		}
		patterns = append(patterns, strings.Join(parts, "/"))
	}
	return strings.Join(patterns, "|")
}

// printLeft prints what a run leaves out, and why.
func printLeft(out io.Writer, rows []Row) {
	for _, r := range rows {
		fmt.Fprintf(out, "only with --all: %s (%s)\n", r.Test, r.Why)
	}
}

// unknown returns the rows whose tests did not run.
func unknown(rows []Row, tests []Test) []string {
	var names []string
	for _, r := range rows {
		ran := func(t Test) bool { return t.Name == r.Test || strings.HasPrefix(t.Name, r.Test+"/") }
		if !slices.ContainsFunc(tests, ran) {
			names = append(names, r.Test)
		}
	}
	return names
}
