// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package suite

import (
	"bytes"
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGuestLine(t *testing.T) {
	for _, tt := range []struct {
		releases []string
		want     string
	}{
		{nil, "guest: s390x, 12.3 s"},
		{[]string{"6.1.0-50-s390x", "7.2.12"}, "guest: s390x, 12.3 s, Linux 6.1.0-50-s390x 7.2.12"},
	} {
		line := GuestLine("s390x", 12345*time.Millisecond, tt.releases)
		if line != tt.want {
			t.Errorf("%q, want %q", line, tt.want)
		}
		arch, d, releases, ok := parseGuestLine("    hops_test.go:50: " + line + "\n")
		if !ok || arch != "s390x" || d != 12300*time.Millisecond || strings.Join(releases, " ") != strings.Join(tt.releases, " ") {
			t.Errorf("%q is read as %v, %v, %v, %v", line, arch, d, releases, ok)
		}
	}
	for _, line := range []string{"guest: \n", "a guest: s390x, long, Linux 1\n", "guest: s390x, 1.2.3 s\n"} {
		if _, _, _, ok := parseGuestLine(line); ok {
			t.Errorf("%q is taken for a guest's", line)
		}
	}
}

// TestRun: a stage behind one that failed runs only where all are asked for.
func TestRun(t *testing.T) {
	for _, tt := range []struct {
		all  bool
		want string
	}{{false, "ok FAILED not run"}, {true, "ok FAILED ok"}} {
		good := func(context.Context) error { return nil }
		bad := func(context.Context) error { return errors.New("broken") }
		var out bytes.Buffer
		outcomes := run(t.Context(), &out, tt.all, []Stage{{"one", good}, {"two", bad}, {"three", good}})
		var words []string
		for _, o := range outcomes {
			words = append(words, o.word())
		}
		if got := strings.Join(words, " "); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.all, got, tt.want)
		}
		if err := summarize(&out, outcomes); err == nil || err.Error() != "two failed" {
			t.Errorf("%v: error %v", tt.all, err)
		}
		if !strings.Contains(out.String(), "two: broken\n") {
			t.Errorf("%v: no reason in\n%s", tt.all, out.String())
		}
	}
}

func TestSkipPattern(t *testing.T) {
	rows := []Row{{"TestDifferential", ""}, {"TestHops/8_GiB_in_two_nodes", ""}, {"TestCarriers/s390x_kernel's_carrier", ""}}
	const want = `^TestDifferential$|^TestHops$/^8_GiB_in_two_nodes$|^TestCarriers$/^s390x_kernel's_carrier$`
	if got := skipPattern(rows); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestRows: every row names a test of package integration, and gives a reason.
// Whether a subtest exists is only known when the test runs: a whole run fails
// if one does not.
func TestRows(t *testing.T) {
	names := testNames(t, "..")
	seen := map[string]bool{}
	for _, r := range onlyAll {
		name, _, _ := strings.Cut(r.Test, "/")
		if !names[name] {
			t.Errorf("%s is no test", name)
		}
		if r.Why == "" || seen[r.Test] {
			t.Errorf("%s: no reason, or a second row", r.Test)
		}
		seen[r.Test] = true
	}
}

// testNames are the test functions of a directory.
func testNames(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", dir, err)
	}
	names := map[string]bool{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}

func TestUnknown(t *testing.T) {
	tests := []Test{{Name: "TestA"}, {Name: "TestB/x"}}
	rows := []Row{{"TestA", ""}, {"TestB", ""}, {"TestB/x", ""}, {"TestB/y", ""}, {"Test", ""}}
	if diff := cmp.Diff([]string{"TestB/y", "Test"}, unknown(rows, tests)); diff != "" {
		t.Error(diff)
	}
}

func TestTargets(t *testing.T) {
	const list = `FuzzA
FuzzB
ok  	example.com/p/one	0.012s
?   	example.com/p/two	[no test files]
integration: no guests
ok  	example.com/p/three	0.001s
FuzzC
ok  	example.com/p/four	(cached)
`
	want := []Target{{"example.com/p/one", "FuzzA"}, {"example.com/p/one", "FuzzB"}, {"example.com/p/four", "FuzzC"}}
	if diff := cmp.Diff(want, targets(list)); diff != "" {
		t.Error(diff)
	}
}

func TestAdvice(t *testing.T) {
	const out = "--- FAIL: FuzzA\n    Failing input written to testdata/fuzz/FuzzA/0123\n    To re-run:\n"
	if got := advice([]byte(out)); !strings.HasPrefix(got, "Commit testdata/fuzz/FuzzA/0123 of that package") {
		t.Errorf("%q", got)
	}
	if got := advice([]byte("FAIL\n")); got != "" {
		t.Errorf("%q", got)
	}
}

func TestEnded(t *testing.T) {
	for _, tt := range []struct {
		out  string
		want bool
	}{
		{"--- FAIL: FuzzA (5.29s)\n    context deadline exceeded\nFAIL\n", true},
		{"--- FAIL: FuzzA (5.29s)\n    a_test.go:9: get: context deadline exceeded\n    Failing input written to testdata/fuzz/FuzzA/0123\n", false},
		{"--- FAIL: FuzzA (0.01s)\n", false},
	} {
		if got := ended([]byte(tt.out)); got != tt.want {
			t.Errorf("%q: %v", tt.out, got)
		}
	}
}

// stream is what go test -json prints.
const stream = `{"Time":"2026-11-25T06:00:00Z","Action":"start","Package":"p"}
{"Time":"2026-11-25T06:00:01Z","Action":"output","Package":"p","Test":"TestHops/one","Output":"    hops_test.go:50: guest: ppc64le, 20.5 s, Linux 6.1.0-50-powerpc64le 7.2.12\n"}
{"Time":"2026-11-25T06:00:01Z","Action":"output","Package":"p","Test":"TestHops/one","Output":"    hops_test.go:50: guest: ppc64le, 10.0 s, Linux 7.2.12\n"}
{"Time":"2026-11-25T06:00:02Z","Action":"pass","Package":"p","Test":"TestHops/one","Elapsed":31.2}
{"Time":"2026-11-25T06:00:03Z","Action":"output","Package":"p","Test":"TestBad","Output":"    bad_test.go:5: guest: s390x, 1.0 s\n"}
{"Time":"2026-11-26T06:00:03Z","Action":"fail","Package":"p","Test":"TestBad","Elapsed":1.4}
{"Time":"2026-11-25T06:00:04Z","Action":"pass","Package":"p","Test":"TestHops","Elapsed":0}
{"Time":"2026-11-25T06:00:05Z","Action":"output","Package":"p","Output":"FAIL\tp\t33.0s\n"}
{"Time":"2026-11-25T06:00:05Z","Action":"fail","Package":"p","Elapsed":33.0}
`

func TestReadTests(t *testing.T) {
	var out bytes.Buffer
	tests, err := ReadTests(strings.NewReader(stream), &out)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "\nFAIL\tp\t33.0s\n") {
		t.Errorf("prints %q", out.String())
	}
	want := []Test{
		{"TestHops/one", "pass", 31200 * time.Millisecond, time.Date(2026, 11, 25, 6, 0, 2, 0, time.UTC), []Guest{
			{"ppc64le", 20500 * time.Millisecond, []string{"6.1.0-50-powerpc64le", "7.2.12"}},
			{"ppc64le", 10 * time.Second, []string{"7.2.12"}},
		}},
		{"TestBad", "fail", 1400 * time.Millisecond, time.Date(2026, 11, 26, 6, 0, 3, 0, time.UTC), []Guest{{"s390x", time.Second, nil}}},
	}
	if diff := cmp.Diff(want, tests, cmp.Comparer(sameWords)); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"PASS\n", `{"Action":`, `{"Time":"yesterday"}` + "\n"} {
		if _, err := ReadTests(strings.NewReader(bad), &out); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func sameWords(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") }

func TestWrite(t *testing.T) {
	tests, err := ReadTests(strings.NewReader(stream), &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)
	r := &Results{
		Start: at, Commit: "0123abc", Machine: "Debian 12, amd64", Guests: tests,
		Stages: []Outcome{{"vet", at, 83 * time.Second, nil}, {"guests", at, 0, errNotRun}},
		Fuzzed: []Fuzzed{{Target{"p", "FuzzA"}, at, 5 * time.Second, "1234", errors.New("crash")}},
		Fresh:  []Outcome{{"trixie: ./run demo", at, 9 * time.Minute, nil}},
	}
	var got bytes.Buffer
	if err := r.Write(&got); err != nil {
		t.Fatal(err)
	}
	const want = `# Results

` + "`./run test --all`" + ` writes this file.

Commit 0123abc, begun on 2026-11-25 06:00 UTC.

On Debian 12, amd64.

## Stages

| stage | result | wall time |
|---|---|---|
| vet | ok | 1:23 min |
| guests | not run | 0:00 min |

## Guests by architecture

| architecture | guests | minutes of guests |
|---|---|---|
| ppc64le | 2 | 0.5 |
| s390x | 1 | 0.0 |

## Tests in guests

| test | result | seconds | architecture | kernels | date |
|---|---|---|---|---|---|
| TestBad | fail | 1 | s390x |  | 2026-11-26 |
| TestHops/one | pass | 31 | ppc64le | 6.1.0-50-powerpc64le, 7.2.12 | 2026-11-25 |

## Fresh machines

| machine and command | result | wall time | date |
|---|---|---|---|
| trixie: ./run demo | ok | 9:00 min | 2026-11-25 |

## Fuzzing

| package | target | result | runs | seconds | date |
|---|---|---|---|---|---|
| p | FuzzA | FAILED | 1234 | 5 | 2026-11-25 |
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAptSetting(t *testing.T) {
	const dump = `APT::Architecture "amd64";
Acquire "";
Acquire::Check-Valid-Until "false";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::Proxy-Auto-Detect "/usr/bin/detect";
Acquire::Languages "none";
`
	want := []string{`Acquire::Check-Valid-Until "false";`, `Acquire::http::Proxy "http://proxy.example:3128";`, `Acquire::https::Proxy-Auto-Detect "/usr/bin/detect";`}
	if diff := cmp.Diff(want, aptSetting.FindAllString(dump, -1)); diff != "" {
		t.Error(diff)
	}
}

// TestNoCompiler: a machine without a C compiler gets a sentence that says what
// to install.
func TestNoCompiler(t *testing.T) {
	t.Setenv("CC", "/none/gcc -m64")
	c := &checker{dir: "."}
	if err := c.race(t.Context()); !errors.Is(err, errNoCompiler) || !strings.Contains(err.Error(), "/none/gcc") {
		t.Errorf("error %v", err)
	}
}

// TestUsage: ./run tells of every command that it has.
func TestUsage(t *testing.T) {
	c := &checker{dir: filepath.Join("..", "..")}
	cmd := c.cmd(t.Context(), "./run")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("without a command it ends well")
	}
	for _, command := range []string{"demo", "check", "test", "test --all", "fresh"} {
		if !bytes.Contains(out, []byte("./run "+command+" ")) {
			t.Errorf("no %s in\n%s", command, out)
		}
	}
}
