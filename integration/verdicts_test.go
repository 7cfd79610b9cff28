// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/refusal"
)

var update = flag.Bool("update", false, "write the table of verdicts in the README anew")

// A provoked is a verdict, the steps that lead to it, and the command that
// gives it.
type provoked struct {
	verdict handover.Verdict
	how     string
	steps   []script.Step
	args    []string
	exit    int
}

// provokedIn returns the verdicts by the guest that shows them, in an order
// that works in one guest.
func provokedIn(t *testing.T) []struct {
	guest lab.Guest
	rows  []provoked
} {
	own, stock := kernel(t, lab.Own4k), kernel(t, lab.Debian61)
	const saved = "/saved"
	zero := "sha256=" + strings.Repeat("00", 32)
	save := script.Step{Run: []string{"/bin/imaboot", "list", "--output", saved}}
	files := map[string]string{lab.NextKernel: own, cannotRestore: stock}
	next := map[string]string{lab.NextKernel: kernel(t, lab.Debian61S390X)}
	return []struct {
		guest lab.Guest
		rows  []provoked
	}{
		{lab.Guest{Arch: ppc64le, CPUs: 1, Stages: []lab.Stage{{Kernel: own, Files: files}}}, []provoked{
			{handover.Match, "nothing", nil, []string{"verify"}, 0},
			{handover.Verdict(refusal.NotRestored), "a kernel without support, and `--carry=kernel`", nil, []string{"load", "--carry=kernel", cannotRestore}, 26},
			{handover.ListAhead, "a PCR from before the first record", []script.Step{save}, []string{"verify", "--list", saved, "--pcr", zero}, 21},
			{handover.Tampered, "one bit of the last record", []script.Step{{Change: saved}}, []string{"verify", "--list", saved, "--pcr", zero}, 23},
			{handover.TPMAhead, "two records deleted from the kernel's list", []script.Step{save, {Write: imaList, Content: "2\n"}}, []string{"load", lab.NextKernel}, 22},
			{handover.Match, "the same, with `--prefix` and what was deleted", []script.Step{{Copy: saved, To: "/prefix"}, {Cut: "/prefix", Records: 2}}, []string{"load", "--prefix", "/prefix", lab.NextKernel}, 0},
			{handover.BankNotReplayable, "PCR 10 of sha384 extended by another program", []script.Step{{Extend: "sha384"}}, []string{"load", "--prefix", "/prefix", lab.NextKernel}, 24},
			{handover.TPMAhead, "PCR 10 of all banks extended by another program", []script.Step{{Extend: "all"}}, []string{"load", "--prefix", "/prefix", lab.NextKernel}, 22},
		}},
		{lab.Guest{Arch: ppc64le, CPUs: 1, Append: "ima_template=ima", Stages: []lab.Stage{{Kernel: own, Files: files}}}, []provoked{
			{handover.Verdict(refusal.CannotBeCarried), "records of the old template `ima`, and `--carry=kernel`", nil, []string{"load", "--carry=kernel", lab.NextKernel}, 25},
		}},
		{lab.Guest{Arch: s390x, CPUs: 1, Stages: []lab.Stage{{Kernel: next[lab.NextKernel], Files: next}}}, []provoked{
			{handover.NoTPM, "a machine without a TPM", nil, []string{"verify"}, 20},
			{handover.NoTPM, "the same, and `--tpm=require`", nil, []string{"load", "--tpm=require", lab.NextKernel}, 20},
		}},
	}
}

// imaList is the file by which records can be deleted from the list (Linux
// 7.2).
const imaList = "/sys/kernel/security/integrity/ima/binary_runtime_measurements"

// TestVerdicts provokes every verdict in a guest, and compares the results with
// the table of docs/exit-codes.md.
func TestVerdicts(t *testing.T) {
	var b strings.Builder
	b.WriteString("| verdict | provoked by | command | exit code | printed |\n|---|---|---|---|---|\n")
	for _, x := range provokedIn(t) {
		var steps []script.Step
		for _, row := range x.rows {
			steps = append(append(steps, row.steps...), script.Step{Run: append([]string{"/bin/imaboot"}, row.args...)})
		}
		// The machine is still usable.
		steps = append(steps, script.Step{Run: []string{"/bin/imaboot", "unload"}}, report)
		x.guest.Stages[0].Stage = script.Stage{Name: "1", Steps: steps}
		s := stage(t, runGuest(t, x.guest), "1")
		if !s.Ended || len(s.Lists) != 1 {
			t.Errorf("the guest did not go on: %d lists", len(s.Lists))
		}
		runs := s.Runs
		for _, row := range x.rows {
			for len(runs) > 0 && strings.Join(runs[0].Argv[1:], " ") != strings.Join(row.args, " ") {
				runs = runs[1:]
			}
			if len(runs) == 0 {
				t.Fatalf("%s: %v did not run", row.verdict, row.args)
			}
			e := runs[0]
			runs = runs[1:]
			printed := lastLine(e)
			if e.Exit != row.exit {
				t.Errorf("%s by %s: exit code %d, want %d:\n%s", row.verdict, row.how, e.Exit, row.exit, e.Stderr)
			}
			if row.exit != 0 && !strings.HasPrefix(printed, string(row.verdict)+": ") {
				t.Errorf("%s is not in %q", row.verdict, printed)
			}
			fmt.Fprintf(&b, "| %s | %s | `%s` | %d | %s |\n", row.verdict, row.how, row.args[0], e.Exit, printed)
		}
	}
	checkTable(t, "../docs/exit-codes.md", b.String())
}

// lastLine returns the last message of a command, without its name and time.
func lastLine(e script.Event) string {
	text := e.Stderr
	if e.Exit == 0 && len(e.Data) > 0 {
		text = string(e.Data)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := lines[len(lines)-1]
	if len(lines) > 1 && e.Exit == 0 && e.Argv[1] == "load" {
		for _, l := range lines {
			if strings.Contains(l, "list: ") {
				last = l
			}
		}
	}
	last = regexp.MustCompile(`^imaboot: +([0-9.]+s )?`).ReplaceAllString(last, "")
	return strings.ReplaceAll(last, "|", `\|`)
}

// checkTable compares a table between two marks in a file with the results.
// Numbers of records are ignored, because they differ between kernels.
func checkTable(t *testing.T, file, table string) {
	t.Helper()
	const begin, end = "<!-- verdicts: written by go test ./integration -run TestVerdicts -update -->\n", "<!-- end -->\n"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s: no marks of the table", file)
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	numbers := regexp.MustCompile(`[0-9]+`)
	plain := func(s string) string { return numbers.ReplaceAllString(s, "N") }
	if diff := cmp.Diff(plain(old), plain(table)); diff != "" {
		t.Errorf("%s is not what was seen:\n%s", file, diff)
	}
}
