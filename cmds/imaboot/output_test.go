// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// hostile would clear a screen, write over a line, show text backwards and more.
const hostile = "x\x1b[2J\x1b]0;t\a\ry\bz\t\v\f\x7f\u0085\u009b2J\u202e\u2066\u2028\u200f\ufeff\x9b1m\xff\U000e0041"

// needPrintable holds that a terminal can be shown all of a text.
func needPrintable(t *testing.T, text string) {
	t.Helper()
	for i, c := range text {
		if c != '\n' && !strconv.IsPrint(c) || c == utf8.RuneError && text[i] != 0xef {
			t.Errorf("byte %d is %q: %q", i, c, text)
			return
		}
	}
}

// TestOneWayOut: text leaves imaboot through the writers of command, and through
// the menu's consoles. Nothing else knows standard output or standard error.
func TestOneWayOut(t *testing.T) {
	allowed := []string{
		"cmds/imaboot/main.go: os.Stdout", "cmds/imaboot/main.go: os.Stderr",
		"cmds/imaboot/main.go: log.SetOutput", "cmds/imaboot/discover.go: log.Writer",
		"cmds/imaboot/discover.go: log.Flags", "cmds/imaboot/discover.go: log.SetFlags", "cmds/imaboot/discover.go: log.SetOutput",
		"cmds/imaboot/progress.go: raw", "cmds/imaboot/report.go: raw",
	}
	const top = "../.."
	for _, dir := range []string{"cmds", "pkg", "internal"} {
		err := filepath.WalkDir(filepath.Join(top, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/internal/testing/") {
				return err
			}
			rel, err := filepath.Rel(top, name)
			if err != nil {
				return err
			}
			for _, way := range waysOut(t, name) {
				if !slices.Contains(allowed, rel+": "+way) {
					t.Errorf("%s uses %s", rel, way)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// waysOut are the names by which a file could print past the writers.
func waysOut(t *testing.T, name string) (out []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.CallExpr:
			if id, ok := x.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
				out = append(out, id.Name)
			}
		case *ast.SelectorExpr:
			id, ok := x.X.(*ast.Ident)
			if !ok {
				break
			}
			full := id.Name + "." + x.Sel.Name
			switch {
			case full == "os.Stdout", full == "os.Stderr", full == "syscall.Stdout", full == "syscall.Stderr",
				strings.HasPrefix(full, "fmt.Print"), id.Name == "log" && x.Sel.IsExported():
				out = append(out, full)
			case x.Sel.Name == "raw" && strings.HasPrefix(name, "../../cmds/"):
				out = append(out, "raw")
			}
		}
		return true
	})
	return out
}

// hostileList is a file with a list that has the hostile text for the name of a
// file, of a template and of an algorithm.
func hostileList(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(captured + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	for i, old := range []string{"sha256:", "/usr/", "/bin/"} {
		if n := bytes.LastIndex(b, []byte(old)); n >= 0 {
			copy(b[n:n+len(old)-1], hostile[i:])
		}
	}
	name := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestHostileInput runs commands with hostile arguments, files and names.
func TestHostileInput(t *testing.T) {
	list := hostileList(t)
	odd := filepath.Join(t.TempDir(), hostile)
	if err := os.WriteFile(odd, []byte(hostile), 0o600); err != nil {
		t.Fatal(err)
	}
	all := [][]string{
		{hostile, hostile}, {"--" + hostile}, {"help", hostile}, {"version", hostile}, {"unload", hostile},
		{"list", "--list", list, "--json"}, {"list", "--list", list, "--format=json"},
		{"list", "--list", list, "--output", filepath.Join(t.TempDir(), hostile)},
		{"list", "--list", odd}, {"list", "--list", odd + "x"}, {"list", "--format", hostile},
		{"list", "--list", list, "--output", "/none/" + hostile},
		{"verify", "--list", list}, {"verify", "--list", list, "--json"}, {"verify", "--list", odd},
		{"verify", "--list", list, "--prefix", odd}, {"verify", "--list", list, "--pcr", hostile},
		{"verify", "--list", list, "--pcr", hostile + "=00"}, {"verify", "--list", list, "--pcr", "sha1=" + hostile},
		append([]string{"verify", "--list", list}, capturedPCRs(t)...),
		append([]string{"verify", "--json", "--list", list}, capturedPCRs(t)...),
	}
	for _, s := range commands {
		all = append(all, []string{s.name, hostile, hostile}, []string{s.name, "--" + hostile}, []string{s.name, "--json", "--tpm", hostile},
			[]string{s.name, "--json", "--room=" + hostile}, []string{s.name, "--json", "--wait", hostile}, []string{s.name, "--finally=" + hostile})
	}
	for _, args := range all {
		t.Run(fmt.Sprintf("%.60q", args), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(args, &stdout, &stderr)
			needPrintable(t, stdout.String())
			needPrintable(t, stderr.String())
			if code != 0 && stderr.Len() == 0 {
				t.Error("no message")
			}
			if slices.Contains(args, "--json") && stdout.Len() > 0 && !json.Valid(stdout.Bytes()) {
				t.Errorf("no JSON: %s", stdout.Bytes())
			}
		})
	}
}

// TestHostileTexts prints what comes from disks, servers and the kernel.
func TestHostileTexts(t *testing.T) {
	var stdout, stderr bytes.Buffer
	c := newCommand(&stdout, &stderr)
	c.sub, c.verbose, c.asJSON = &commands[0], true, true
	c.step("%s\n%v", hostile, errors.New(hostile))
	c.detail("%s", hostile)
	c.explain(fmt.Errorf("%s: %w", hostile, refusal.New(refusal.BadFile, hostile)))
	c.explain(&archdesc.NoRoomError{Segment: hostile, Reserved: []archdesc.Region{{Range: archdesc.Range{Start: 0, End: 1 << 20}, Why: hostile}}})
	e := entryReport{ID: hostile, Title: hostile, Kind: hostile, Source: hostile, Kernel: hostile, Initrds: []string{hostile}, DeviceTree: hostile, Cmdline: hostile, carries: carries{Problem: hostile}}
	if err := c.printEntries([]entryReport{e, {ID: hostile}}); err != nil {
		t.Fatal(err)
	}
	if err := (&archdesc.Plan{Cmdline: hostile, Segments: []archdesc.Segment{{Name: hostile}}}).WriteText(c.stdout); err != nil {
		t.Fatal(err)
	}
	needPrintable(t, stdout.String())
	needPrintable(t, stderr.String())
	if lines := strings.Count(stderr.String(), "imaboot: "); !strings.HasPrefix(stderr.String(), "imaboot: ") || lines < 4 {
		t.Errorf("%d lines: %q", lines, stderr.String())
	}
	stdout.Reset()
	if err := c.printOutcome(nil, errors.New(hostile)); err != nil {
		t.Fatal(err)
	}
	if err := c.printJSON([]any{e, configReport{Notes: []string{hostile}}, carry.EventReport{}}); err != nil {
		t.Fatal(err)
	}
	needPrintable(t, stdout.String())
	if _, err := configured(t, hostile, ""); err == nil {
		t.Error("a hostile file of settings is accepted")
	}
}

// TestListOnTerminal: a list is exact where it is kept, and printable where it is
// shown.
func TestListOnTerminal(t *testing.T) {
	list := hostileList(t)
	var exact bytes.Buffer
	if code := run([]string{"list", "--list", list}, &exact, io.Discard); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if !bytes.ContainsRune(exact.Bytes(), 0x1b) {
		t.Fatalf("the list is not as the kernel prints it: %q", exact.String())
	}
	master, slave := openTerminal(t)
	var shown bytes.Buffer
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(&shown, master) }) // ends with an error when the slave is closed
	var stderr bytes.Buffer
	code := run([]string{"list", "--list", list}, slave, &stderr)
	refused := run([]string{"list", "--list", list, "--format=binary"}, slave, &stderr)
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	reading.Wait()
	text := strings.ReplaceAll(shown.String(), "\r\n", "\n")
	needPrintable(t, text)
	if code != 0 || strings.Count(text, "\n") != strings.Count(exact.String(), "\n") {
		t.Errorf("exit code %d: %q", code, text)
	}
	if refused != 2 || !strings.Contains(stderr.String(), "not for a terminal") {
		t.Errorf("exit code %d: %s", refused, stderr.String())
	}
}

// openTerminal returns both ends of a new terminal.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Skip(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	return master, slave
}

// TestForgedLine: a text of somebody else does not look like a message of imaboot.
func TestForgedLine(t *testing.T) {
	var stderr bytes.Buffer
	c := newCommand(io.Discard, &stderr)
	c.step("%s", "a\nimaboot:   0.001s PCR 10: sha256 match")
	c.explain(errors.New("b\nimaboot:   0.002s PCR 10: sha256 match"))
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	want := []string{`s a\nimaboot:   0.001s`, "imaboot: error: b", "imaboot: | imaboot:   0.002s PCR 10: sha256 match"}
	if len(lines) != len(want) {
		t.Fatalf("%q", lines)
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("%q has no %q", lines[i], want[i])
		}
	}
}

// TestPanic: a panic has an exit code of its own, and its text is escaped.
func TestPanic(t *testing.T) {
	err := refusal.Guard(func() error { panic(hostile) })
	var stdout, stderr bytes.Buffer
	newCommand(&stdout, &stderr).explain(err)
	needPrintable(t, stderr.String())
	if code := refusal.Of(err).Code(); code != 63 || !strings.HasPrefix(stderr.String(), "imaboot: internal-error: ") {
		t.Errorf("code %d: %s", code, stderr.String())
	}
}

// TestFatal: an error of the runtime that nothing can recover from does not end
// as wrong arguments do.
func TestFatal(t *testing.T) {
	const inside = "IMABOOT_TEST_FATAL"
	if os.Getenv(inside) != "" {
		prepare(io.Discard)
		time.AfterFunc(time.Minute, func() { os.Exit(1) })
		new(sync.Mutex).Unlock()
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFatal$")
	cmd.Env = append(os.Environ(), inside+"=1", "GOTRACEBACK=")
	out, err := cmd.CombinedOutput()
	if errors.Is(err, unix.ENOEXEC) {
		t.Skip("a program that is emulated cannot start itself")
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatalf("%v: %s", err, out)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != unix.SIGABRT {
		t.Errorf("%v: %s", err, out)
	}
}
