// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package suite

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Results are what a run of the whole suite found.
type Results struct {
	Start time.Time
	// Commit is that of the work tree, Machine describes the host.
	Commit, Machine string
	Stages          []Outcome
	Guests          []Test
	Fuzzed          []Fuzzed
	// Fresh are the README's commands on fresh machines.
	Fresh []Outcome
}

const day = "2006-01-02"

// Write writes the results as tables in Markdown. A table without rows is left
// out.
func (r *Results) Write(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Results\n\n`./run test --all` writes this file.\n")
	if r.Commit != "" {
		fmt.Fprintf(&b, "\nCommit %s, begun on %s.\n", r.Commit, r.Start.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if r.Machine != "" {
		fmt.Fprintf(&b, "\nOn %s.\n", r.Machine)
	}
	table(&b, "Stages", "stage | result | wall time", rowsOf(r.Stages))
	table(&b, "Guests by architecture", "architecture | guests | minutes of guests", byArch(r.Guests))
	table(&b, "Tests in guests", "test | result | seconds | architecture | kernels | date", testRows(r.Guests))
	table(&b, "Fresh machines", "machine and command | result | wall time | date", freshRows(r.Fresh))
	table(&b, "Fuzzing", "package | target | result | runs | seconds | date", fuzzRows(r.Fuzzed))
	_, err := io.WriteString(w, b.String())
	return err
}

// table writes a table whose head and rows are cells between bars.
func table(b *strings.Builder, title, head string, rows []string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n| %s |\n|%s\n", title, head, strings.Repeat("---|", strings.Count(head, "|")+1))
	for _, r := range rows {
		fmt.Fprintf(b, "| %s |\n", r)
	}
}

func rowsOf(outcomes []Outcome) []string {
	var rows []string
	for _, o := range outcomes {
		rows = append(rows, fmt.Sprintf("%s | %s | %s", o.Name, o.word(), clock(o.Took)))
	}
	return rows
}

func freshRows(outcomes []Outcome) []string {
	rows := rowsOf(outcomes)
	for i, o := range outcomes {
		rows[i] += " | " + o.Start.UTC().Format(day)
	}
	return rows
}

func testRows(tests []Test) []string {
	sorted := slices.SortedFunc(slices.Values(tests), func(a, b Test) int { return cmp.Compare(a.Name, b.Name) })
	var rows []string
	for _, t := range sorted {
		var arches, releases []string
		for _, g := range t.Guests {
			arches = append(arches, g.Arch)
			releases = append(releases, g.Releases...)
		}
		rows = append(rows, fmt.Sprintf("%s | %s | %.0f | %s | %s | %s", cell(t.Name), t.Result, t.Took.Seconds(),
			once(arches), once(releases), t.At.UTC().Format(day)))
	}
	return rows
}

// once are words without those that stood before.
func once(words []string) string {
	var out []string
	for _, w := range words {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return strings.Join(out, ", ")
}

// cell escapes what ends a cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func byArch(tests []Test) []string {
	count, took := guestTimes(tests)
	var rows []string
	for _, arch := range slices.Sorted(maps.Keys(took)) {
		rows = append(rows, fmt.Sprintf("%s | %d | %.1f", arch, count[arch], took[arch].Minutes()))
	}
	return rows
}

// guestTimes adds up the guests of each architecture.
func guestTimes(tests []Test) (count map[string]int, took map[string]time.Duration) {
	count, took = map[string]int{}, map[string]time.Duration{}
	for _, t := range tests {
		for _, g := range t.Guests {
			count[g.Arch]++
			took[g.Arch] += g.Took
		}
	}
	return count, took
}

func fuzzRows(fuzzed []Fuzzed) []string {
	var rows []string
	for _, f := range fuzzed {
		rows = append(rows, fmt.Sprintf("%s | %s | %s | %s | %.0f | %s", f.Package, f.Name,
			Outcome{Err: f.Err}.word(), f.Execs, f.Took.Seconds(), f.Start.UTC().Format(day)))
	}
	return rows
}
