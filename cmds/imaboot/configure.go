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

	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/kernelfs"
)

// configFile is what a builder of an initramfs can put in it.
const configFile = "/etc/imaboot.conf"

// configurable are the flags of boot that a builder, and the kernel's command
// line, may set. What follows wins: the file, imaboot.FLAG=VALUE, arguments.
var configurable = []string{
	"from", "wait", "timeout", "entry", "no-menu", "finally", "url", "append",
	"carry", "tpm", "no-note", "policy", "require-measured", "measure", "quiesce",
}

// configure sets what no argument has set.
func (c *command) configure(f *flag.FlagSet) error {
	// The command line is in proc.
	if err := kernelfs.MountAll(); err != nil {
		return err
	}
	line, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	return c.configureFrom(f, configFile, string(line))
}

func (c *command) configureFrom(f *flag.FlagSet, file, kernelLine string) error {
	given := map[string]bool{}
	f.Visit(func(x *flag.Flag) { given[x.Name] = true })
	given["append"] = given["append"] || given["command-line"]
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
		if err := setFlag(f, given, line); err != nil {
			return fmt.Errorf("%w: %s: line %d: %w", errUsage, file, n, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for w := range cmdline.Params(kernelLine) {
		// imaboot.list= is no flag: it names what was sent.
		setting, ok := strings.CutPrefix(strings.ReplaceAll(w.Name, "_", "-"), "imaboot.")
		if !ok || setting == "list" {
			continue
		}
		if w.HasValue {
			setting += "=" + w.Value
		}
		// A machine that cannot be reached must boot in spite of it.
		if err := setFlag(f, given, setting); err != nil {
			c.step("kernel's command line: %v: passed over", err)
		}
	}
	return nil
}

// setFlag sets NAME=VALUE, or a NAME that needs none, unless an argument has
// set it.
func setFlag(f *flag.FlagSet, given map[string]bool, setting string) error {
	name, value, ok := strings.Cut(setting, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !slices.Contains(configurable, name) {
		return fmt.Errorf("%q is none of %s", name, strings.Join(configurable, ", "))
	}
	// entries has not all flags of boot.
	if given[name] || f.Lookup(name) == nil {
		return nil
	}
	if !ok {
		value = "true"
	}
	if err := f.Set(name, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
