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
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/internal/flags"
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
