// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"

	"github.com/imaboot/imaboot/internal/flags"
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

// strictest are those of them that protect, at the value that protects most. There
// is none for a policy.
var strictest = map[string]string{"tpm": "require", "require-measured": "true", "measure": "true", "no-menu": "true", "policy": ""}

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
	s := flags.NewSettings(f, configurable, strictest)
	s.Given["append"] = s.Given["append"] || s.Given["command-line"]
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.File(string(text)); err != nil {
		return fmt.Errorf("%w: %s: %w", errUsage, file, err)
	}
	// imaboot.list= is no flag: it names what was sent.
	if err := s.CommandLine(kernelLine, "imaboot.", c.step, "list"); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return nil
}
