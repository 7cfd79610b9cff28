// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// configFile is what a builder of an initramfs can put in it.
const configFile = "/etc/imaboot.conf"

// configurable are the flags of boot that a builder, and the kernel's command
// line, may set. What follows wins: the file, imaboot.FLAG=VALUE, arguments.
var configurable = []string{
	"from", "wait", "timeout", "entry", "no-menu", "finally", "url", "append",
	"carry", "tpm", "no-note", "policy", "require-measured", "measure",
}

// configure sets flags from the file and the running kernel's command line.
func configure(f *flag.FlagSet, file string, cmdline []byte) error {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; s.Scan(); n++ {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := setFlag(f, line); err != nil {
			return fmt.Errorf("%w: %s: line %d: %w", errUsage, file, n, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for word := range strings.FieldsSeq(string(cmdline)) {
		// imaboot.list= is no flag: it names what was sent.
		setting, ok := strings.CutPrefix(word, "imaboot.")
		if !ok || strings.HasPrefix(setting, "list=") {
			continue
		}
		if err := setFlag(f, setting); err != nil {
			return fmt.Errorf("%w: kernel's command line: %w", errUsage, err)
		}
	}
	return nil
}

// setFlag sets NAME=VALUE, or a NAME that needs none.
func setFlag(f *flag.FlagSet, setting string) error {
	name, value, ok := strings.Cut(setting, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !slices.Contains(configurable, name) {
		return fmt.Errorf("%q is none of %s", name, strings.Join(configurable, ", "))
	}
	if !ok {
		value = "true"
	}
	if err := f.Set(name, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
