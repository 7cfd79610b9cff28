// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/uroot/unixflag"

	"github.com/imaboot/imaboot/pkg/refusal"
	"github.com/imaboot/imaboot/pkg/target"
)

// errUsage is wrapped by what is wrong with the arguments.
var errUsage = refusal.New(refusal.Usage, "usage")

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %s (see imaboot --help)", errUsage, fmt.Sprintf(format, args...))
}

const synopsis = `imaboot boots the next kernel without losing what this one measured.

	imaboot [boot] [--from disk,net] [--entry NAME] [--no-menu]
	imaboot [boot] [--initrd FILE] [--command-line STRING] KERNEL
	imaboot entries [--json]
	imaboot plan [--json] [flags of boot] KERNEL
	imaboot load [flags of boot] KERNEL
	imaboot exec
	imaboot unload
	imaboot verify [--json] [--list FILE --pcr ALG=HEX...]
	imaboot list [--format binary|ascii|json] [--output FILE]
	imaboot version
`

// autoCarrier lets the target's image decide how the list travels.
const autoCarrier = "auto"

// options are the flags of boot, plan and load.
type options struct {
	Kernel string
	// Initrds are concatenated in this order.
	Initrds      unixflag.StringArray
	CommandLine  string
	ReuseCmdline bool
	DTB          string
	Carry        string
	TPM          string
	Carried      string
	Room         uint64
	NoNote       bool
	Prefix       string
	// Config is the kernel's configuration; "" for none.
	Config string
	// Policy is loaded once: policyText is what was in it.
	Policy, policyText string
	RequireMeasured    bool
	// Measure extends what is booted into PCRs 8 and 9.
	Measure bool
}

// flagSet makes the flags that all commands have.
func (c *command) flagSet(name string) *flag.FlagSet {
	f := flag.NewFlagSet("imaboot "+name, flag.ContinueOnError)
	f.SetOutput(c.stderr)
	f.Usage = func() {
		fmt.Fprint(c.stderr, synopsis)
		fmt.Fprintf(c.stderr, "\nflags of %s:\n", f.Name())
		f.PrintDefaults()
	}
	f.BoolVar(&c.verbose, "v", false, "say more")
	f.BoolVar(&c.quiet, "q", false, "say nothing but errors")
	return f
}

// targetFlags are those of boot, plan and load, named as kexec-tools does.
func (o *options) targetFlags(f *flag.FlagSet) {
	for _, name := range []string{"initrd", "ramdisk", "initramfs"} {
		f.Var(&o.Initrds, name, "initial ramdisk `FILE`; several are one behind the other")
	}
	for _, name := range []string{"append", "command-line"} {
		f.StringVar(&o.CommandLine, name, "", "command line `STRING`; with --reuse-cmdline it is appended")
	}
	f.BoolVar(&o.ReuseCmdline, "reuse-cmdline", false, "begin with the running kernel's command line")
	f.StringVar(&o.DTB, "dtb", "", "device tree `FILE` instead of the running one")
	f.BoolVar(&o.RequireMeasured, "require-measured", false, "refuse if the kernel, initrd or device tree is in no record")
	f.BoolVar(&o.Measure, "measure", false, "extend kernel, initrd, device tree and command line into PCRs 9 and 8 at the jump, and hand on the event log")
	f.Uint64Var(&o.Room, "room", 0, "`BYTES` of memory beyond the list in its segment")
	o.Carry = autoCarrier
	f.Var(choice{&o.Carry, []string{autoCarrier, "kernel", "initramfs"}}, "carry", "how the list travels: auto, kernel or initramfs")
	f.BoolVar(&o.NoNote, "no-note", false, "send no note beside a list that the target's kernel restores")
	o.carriedFlag(f)
	o.tpmFlag(f)
}

// policyFlag is for commands that change what the kernel measures.
func (o *options) policyFlag(f *flag.FlagSet) {
	f.StringVar(&o.Policy, "policy", "", "IMA policy `FILE` to load before the target's files are opened")
}

func (o *options) carriedFlag(f *flag.FlagSet) {
	o.Carried = "auto"
	f.StringVar(&o.Prefix, "prefix", "", "`FILE` with the records that were deleted from the front of the list")
	f.Var(choice{&o.Carried, []string{"auto", "off"}}, "carried", "join the list that came as a file, or leave it out: auto or off")
}

func (o *options) tpmFlag(f *flag.FlagSet) {
	o.TPM = "auto"
	f.Var(choice{&o.TPM, []string{"require", "auto", "off"}}, "tpm", "compare the list with PCR 10: require, auto or off")
}

// choice is a flag.Value that takes one of a few words.
type choice struct {
	value *string
	words []string
}

func (c choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

func (c choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("one of %s", strings.Join(c.words, ", "))
	}
	*c.value = s
	return nil
}

// parse takes flags before and after other arguments, as getopt(3) does, and
// returns the others.
func parse(f *flag.FlagSet, args []string) ([]string, error) {
	var others []string
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		rest := f.Args()
		if len(rest) == 0 {
			return others, nil
		}
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			return append(others, rest...), nil
		}
		others, args = append(others, rest[0]), rest[1:]
	}
}

// parseTarget parses the arguments of plan and load.
func (o *options) parseTarget(f *flag.FlagSet, args []string) error {
	o.targetFlags(f)
	others, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(others) != 1 {
		return usagef("one KERNEL is needed, %d are given", len(others))
	}
	o.Kernel, o.Config = others[0], target.ConfigName(others[0])
	return o.check(nil)
}

// check refuses flags that exclude each other; d is nil where a KERNEL is
// named.
func (o *options) check(d *discovery) error {
	switch {
	case d != nil && d.url == "" && len(o.Initrds)+len(d.checksums) > 0:
		return usagef("--initrd and --checksum go with --url, or --initrd with a KERNEL")
	case d != nil && o.DTB != "":
		return usagef("--dtb goes with a KERNEL")
	}
	if o.Measure && o.NoNote {
		return usagef("--measure sends an event log beside the note that --no-note leaves out")
	}
	return nil
}

// parseFlags is for commands that take nothing but flags.
func parseFlags(f *flag.FlagSet, args []string) error {
	others, err := parse(f, args)
	if err == nil && len(others) > 0 {
		err = usagef("unexpected argument %q", others[0])
	}
	return err
}
