// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/internal/flags"
	"github.com/imaboot/imaboot/pkg/cmdline"
)

// TestConfigure: arguments win over the kernel's command line, and that over
// the file.
func TestConfigure(t *testing.T) {
	for _, tt := range []struct {
		name, file, cmdline string
		args                []string
		timeout             time.Duration
		entry               string
		noMenu              bool
		err                 string
	}{
		{name: "nothing", timeout: defaultTimeout},
		{name: "file", file: "# why\n\ntimeout = 3s\nno-menu\n", timeout: 3 * time.Second, noMenu: true},
		{name: "command line", file: "timeout=3s\nentry=a\n", cmdline: "quiet imaboot.timeout=4s imaboot.list=0123456789abcdef\n", timeout: 4 * time.Second, entry: "a"},
		{name: "arguments", file: "timeout=3s\n", cmdline: "imaboot.timeout=4s", args: []string{"--timeout=5s", "--entry", "b"}, timeout: 5 * time.Second, entry: "b"},
		{name: "unknown in the file", file: "timeout=3s\ncolour=red\n", err: `conf: line 2: "colour" is none of from, wait`},
		{name: "not to be set", cmdline: "imaboot.initrd=/x imaboot.from=moon", timeout: defaultTimeout},
		{name: "bad value", file: "from=moon\n", err: "conf: line 1: from: must be one of disk, net"},
		{name: "as the kernel compares names", cmdline: "imaboot.no_menu", timeout: defaultTimeout, noMenu: true},
		{name: "arguments of init", cmdline: "quiet -- imaboot.no-menu", timeout: defaultTimeout},
		{name: "quoted", cmdline: `x="a imaboot.entry=no" imaboot.entry="a name" imaboot.no-menu`, timeout: defaultTimeout, entry: "a name", noMenu: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCommand(io.Discard, io.Discard)
			o, d := &options{}, &discovery{}
			f := flag.NewFlagSet("boot", flag.ContinueOnError)
			c.bootFlags(f, o, d)
			file := filepath.Join(t.TempDir(), "conf")
			if err := os.WriteFile(file, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := flags.Parse(f, tt.args); err != nil {
				t.Fatal(err)
			}
			err := c.configureFrom(f, file, tt.cmdline)
			if tt.err != "" {
				if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d.timeout != tt.timeout || d.entry != tt.entry || d.noMenu != tt.noMenu {
				t.Errorf("%+v", d)
			}
		})
	}
	// All that can be set is a flag.
	c := newCommand(io.Discard, io.Discard)
	f := flag.NewFlagSet("boot", flag.ContinueOnError)
	c.bootFlags(f, &options{}, &discovery{})
	for _, name := range configurable {
		if f.Lookup(name) == nil {
			t.Errorf("there is no flag %q", name)
		}
	}
}

// TestProtectiveFlags: a flag of protection on the kernel's command line never
// fails open, whatever stands there.
func TestProtectiveFlags(t *testing.T) {
	const refused = "refused"
	for _, tt := range []struct{ name, file, line, want string }{
		{"tpm", "", "imaboot.tpm=auto", "auto"},
		{"tpm", "", "imaboot.tpm=off", "off"},
		{"tpm", "", "imaboot.tpm", "require"},
		{"tpm", "", "imaboot.tpm=", "require"},
		{"tpm", "", "imaboot.tpm=required", "require"},
		{"tpm", "", "imaboot.tpm=0", "require"},
		{"tpm", "", `imaboot.tpm="require"`, "require"},
		{"tpm", "", `"imaboot.tpm=require"`, "require"},
		{"tpm", "", `imaboot.tpm=" require "`, "require"},
		{"tpm", "", "imaboot.tpm='require'", "require"},
		{"tpm", "", "imaboot.tpm=require imaboot.tpm=off", "require"},
		{"tpm", "", "imaboot.tpm=off imaboot.tpm=require", "require"},
		{"tpm", "", "imaboot.tpm=off imaboot.tpm=auto", "require"},
		{"tpm", "", "imaboot.tpm=bad imaboot.tpm=off", "require"},
		{"tpm", "", "imaboot.tpm=off imaboot.tpm=off", "off"},
		{"tpm", "", "imaboot.tpm=REQUIRE", "require"},
		{"tpm", "", "imaboot.tpm=OFF", "require"},
		{"tpm", "", "imaboot.TPM=require", "require"},
		{"tpm", "", "IMABOOT.Tpm=require", "require"},
		{"tpm", "tpm=require", "imaboot.tpm=bad", "require"},
		{"tpm", "tpm=off", "imaboot.tpm=bad", "require"},
		{"tpm", "tpm=off", "imaboot.tpm=auto", "auto"},
		{"tpm", "tpm=maybe", "", refused},
		{"tpm", "tpm", "", refused},

		{"policy", "", "imaboot.policy=/p", "/p"},
		{"policy", "", `imaboot.policy="/p q"`, "/p q"},
		{"policy", "", "imaboot.policy", refused},
		{"policy", "", "imaboot.policy=", refused},
		{"policy", "", `imaboot.policy=""`, refused},
		{"policy", "", "imaboot.policy=/p imaboot.policy=/p", "/p"},
		{"policy", "", "imaboot.policy=/p imaboot.policy=/q", refused},
		{"policy", "", "imaboot.POLICY=/p", "/p"},
		{"policy", "policy=/p", "imaboot.policy=", refused},
		{"policy", "policy=/p", "imaboot.policy=/q", "/q"},
		{"policy", "policy=", "", refused},
		{"policy", "policy", "", refused},
	} {
		checkProtective(t, tt.name, tt.file, tt.line, tt.want)
	}
	for _, name := range []string{"require-measured", "measure", "no-menu"} {
		p := "imaboot." + name
		for _, tt := range []struct{ file, line, want string }{
			{"", p, "true"},
			{"", p + "=", "true"},
			{"", p + "=1", "true"},
			{"", p + "=0", "false"},
			{"", p + "=false", "false"},
			{"", p + "=yes", "true"},
			{"", p + "=on", "true"},
			{"", p + "=2", "true"},
			{"", p + "=off", "true"},
			{"", p + `="true"`, "true"},
			{"", `"` + p + `=true"`, "true"},
			{"", `"` + p + `"`, "true"},
			{"", `"` + p + ` "`, "true"},
			{"", `" ` + p + `=bad"`, "true"},
			{"", p + "='0'", "true"},
			{"", p + " " + p + "=0", "true"},
			{"", p + "=0 " + p, "true"},
			{"", p + "=bad " + p + "=0", "true"},
			{"", p + "=0 " + p + "=0", "false"},
			{"", p + "=TRUE", "true"},
			{"", p + "=nO", "true"},
			{"", strings.ToUpper(p), "true"},
			{"", strings.ReplaceAll(p, "-", "_") + "=1", "true"},
			{name, p + "=bad", "true"},
			{name, p + "=0", "false"},
			{name + "=0", p + "=bad", "true"},
			{name + "=maybe", "", refused},
			{name + "=", "", refused},
		} {
			checkProtective(t, name, tt.file, tt.line, tt.want)
		}
	}
	for _, name := range []string{"timeout", "wait", "from", "carry", "finally", "no-note", "append", "url", "entry"} {
		if _, protects := strictest[name]; protects {
			t.Errorf("%s protects, and is not in this test", name)
		}
	}
}

func checkProtective(t *testing.T, name, file, line, want string) {
	t.Helper()
	f, err := configured(t, file, line)
	switch {
	case want == "refused":
		if !errors.Is(err, errUsage) {
			t.Errorf("%q and %q: %v, want a refusal", file, line, err)
		}
	case err != nil:
		t.Errorf("%q and %q: %v", file, line, err)
	case f.Lookup(name).Value.String() != want:
		t.Errorf("%q and %q: %s is %s, want %s", file, line, name, f.Lookup(name).Value, want)
	}
}

// configured are the flags of boot after a file and a command line.
func configured(t *testing.T, file, line string) (*flag.FlagSet, error) {
	t.Helper()
	c := newCommand(io.Discard, io.Discard)
	f := flag.NewFlagSet("boot", flag.ContinueOnError)
	c.bootFlags(f, &options{}, &discovery{})
	name := filepath.Join(t.TempDir(), "conf")
	if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	return f, c.configureFrom(f, name, line)
}

// TestPassedOver: a mistake in another flag changes nothing.
func TestPassedOver(t *testing.T) {
	for _, tt := range []struct{ name, file, line, want string }{
		{"timeout", "timeout=3s", "imaboot.timeout=soon", "3s"},
		{"timeout", "timeout=3s", "imaboot.timeout", "3s"},
		{"no-note", "no-note", "imaboot.no-note=bad", "true"},
		{"append", "append=lockdown=integrity", "imaboot.append", "lockdown=integrity"},
		{"append", "append=lockdown=integrity", "imaboot.append=", ""},
		{"finally", "finally=reboot", "imaboot.finally=SHELL", "reboot"},
	} {
		f, err := configured(t, tt.file, tt.line)
		if err != nil || f.Lookup(tt.name).Value.String() != tt.want {
			t.Errorf("%q and %q: %v, %v, want %s", tt.file, tt.line, f.Lookup(tt.name).Value, err, tt.want)
		}
	}
}

// FuzzSettings: after any file and command line a flag of protection has a value
// that is known, and one that stands there alone and is not known is the strictest.
func FuzzSettings(f *testing.F) {
	f.Add("tpm=off\n# x\ntimeout = 1s", `quiet "imaboot.tpm=x y" imaboot.measure= imaboot.policy="/p" -- z`)
	f.Fuzz(func(t *testing.T, file, line string) {
		flags, err := configured(t, file, line)
		if err != nil {
			if !errors.Is(err, errUsage) {
				t.Fatal(err)
			}
			return
		}
		tpm := flags.Lookup("tpm").Value.String()
		if !slices.Contains([]string{"require", "auto", "off"}, tpm) {
			t.Fatalf("tpm is %q", tpm)
		}
		for w := range cmdline.Params(line) {
			known := slices.Contains([]string{"auto", "off"}, strings.TrimSpace(w.Value))
			if strings.EqualFold(w.Name, "imaboot.tpm") && !known && tpm != "require" {
				t.Fatalf("%q: tpm is %q", w.Text, tpm)
			}
		}
	})
}
