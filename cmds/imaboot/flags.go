// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/u-root/u-root/pkg/uroot/unixflag"

	"github.com/imaboot/imaboot/internal/flags"
	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/offline"
	"github.com/imaboot/imaboot/pkg/refusal"
	"github.com/imaboot/imaboot/pkg/target"
)

// errUsage is wrapped by what is wrong with the arguments.
var errUsage = refusal.New(refusal.Usage, "usage")

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %s (see imaboot --help)", errUsage, fmt.Sprintf(format, args...))
}

// auto lets imaboot decide: how the list travels, whether there is a TPM.
const auto = "auto"

// options are what the flags say about a target and how the list is carried.
type options struct {
	carry.Target
	carry.Options
	reuseCmdline bool
	// These take words.
	by, tpm, carried string
	// file is a list that is read instead of the running kernel's.
	file offline.Options
	// policyFile is loaded once; then its text is in Options.Policy.
	policyFile string
}

// flagSet makes the command's flags, and what runs it. Errors of flags are
// printed like all others.
func (c *command) flagSet() (*flag.FlagSet, action) {
	f := flag.NewFlagSet(c.sub.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.BoolVar(&c.verbose, "v", false, "Print more about each step.")
	f.BoolVar(&c.quiet, "q", false, "Print only errors and results.")
	return f, c.sub.setup(c, f)
}

// targetFlags are those of boot, plan and load, named as kexec-tools does.
func (o *options) targetFlags(f *flag.FlagSet) {
	initrds := (*unixflag.StringArray)(&o.Initrds)
	f.Var(initrds, "initrd", "Give the target the initial ramdisk in `FILE`. Repeat the flag for several: they are concatenated in order.")
	for _, alias := range []string{"ramdisk", "initramfs"} {
		f.Var(initrds, alias, "The same as --initrd `FILE`.")
	}
	f.StringVar(&o.Cmdline, "append", "", "Use `STRING` as the target's command line. With --reuse-cmdline, or if imaboot finds an entry, add it to the parameters of that command line, in front of a \"--\".")
	f.StringVar(&o.Cmdline, "command-line", "", "The same as --append `STRING`.")
	f.BoolVar(&o.reuseCmdline, "reuse-cmdline", false, "Begin the target's command line with the running kernel's, without BOOT_IMAGE=, initrd=, kexec_jump_back_entry= and imaboot.list=.")
	f.StringVar(&o.DeviceTree, "dtb", "", "Give the target the device tree in `FILE` instead of the running kernel's, on architectures that have one.")
	f.BoolVar(&o.RequireMeasured, "require-measured", false, "Refuse a target if the content of its kernel, of an initrd or of its device tree is in no record of the list.")
	f.BoolVar(&o.Measure, "measure", false, "At the jump, extend the target's files into PCR 9 and its command line into PCR 8, and hand on an event log.")
	f.Uint64Var(&o.Room, "room", 0, "Leave `BYTES` of memory free behind the list in its segment.")
	o.by = auto
	f.Var(flags.Choice(&o.by, auto, "kernel", "initramfs"), "carry", `Choose how the list travels: "kernel" lets the target's kernel restore it, "initramfs" sends it as a file in front of the initrd. With "auto", the target's image decides; imaboot prints what it chose and why.`)
	f.BoolVar(&o.NoNote, "no-note", false, "Send no note beside a list that the target's kernel restores. Without a note, the next system cannot tell that a list was lost.")
	o.carriedFlag(f)
	o.tpmFlag(f)
	o.quiesceFlag(f)
}

// policyFlag is for commands that change what the kernel measures.
func (o *options) policyFlag(f *flag.FlagSet) {
	f.StringVar(&o.policyFile, "policy", "", "Load the IMA policy in `FILE` before the target's files are opened, unless imaboot has loaded it already.")
}

func (o *options) carriedFlag(f *flag.FlagSet) {
	o.carried = auto
	f.StringVar(&o.Prefix, "prefix", "", "Put the records in `FILE`, which were deleted from the front of the list, back in front of it. FILE may have any form that --list takes. With --list, its last records may be the list's first ones.")
	f.Var(flags.Choice(&o.carried, auto, "off"), "carried", `Join the list that an earlier kernel sent as a file, or ignore it with "off".`)
}

func (o *options) tpmFlag(f *flag.FlagSet) {
	o.tpm = auto
	f.Var(flags.Choice(&o.tpm, "require", auto, "off"), "tpm", `Compare the list with PCR 10 and every other PCR that it has records of. Without a TPM, "require" refuses, and "auto" goes on except in verify. "require" also refuses a list with records that no PCR proves. With "off", nothing is compared, and verify accepts a list that nothing proves.`)
}

func (o *options) quiesceFlag(f *flag.FlagSet) {
	f.Var(flags.Choice((*string)(&o.Quiesce), auto, "off"), "quiesce", `Stop all other processes before the last look at the list, and while a list is loaded that keeps growing. They continue if there is no jump. "off" stops nothing. The default is auto.`)
}

// take names the kernel, and with it the configuration beside it.
func (o *options) take(kernel string) {
	o.Kernel, o.Config = kernel, target.ConfigName(kernel)
}

// check refuses flags that exclude each other; d is nil where a KERNEL is
// named.
func (o *options) check(d *discovery) error {
	switch {
	case d != nil && d.url == "" && len(o.Initrds)+len(d.checksums) > 0:
		return usagef("--initrd and --checksum go with --url, or --initrd with a KERNEL")
	case d != nil && o.DeviceTree != "":
		return usagef("--dtb goes with a KERNEL")
	}
	if o.Measure && o.NoNote {
		return usagef("--measure sends an event log beside the note that --no-note leaves out")
	}
	return nil
}
