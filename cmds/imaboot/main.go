// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// imaboot boots the next kernel without losing what this one measured.
//
// Synopsis:
//
//	imaboot [boot] [OPTIONS] [KERNEL]
//	imaboot entries [--json]
//	imaboot plan [OPTIONS] [--json] KERNEL
//	imaboot load [OPTIONS] KERNEL
//	imaboot exec
//	imaboot unload
//	imaboot verify [--json] [--list FILE --pcr ALG=HEX...]
//	imaboot list [--format binary|ascii|json] [--output FILE]
//	imaboot version
//
// Description:
//
//	The list of IMA's measurements is read, checked against PCR 10, put into
//	a kexec segment of its own and named in the boot protocol, so that the
//	next kernel's list begins with it. A list that would not arrive is an
//	error before the jump.
//
//	boot    do all of it (the default); without KERNEL look for one on disks
//	        and on the network, and offer what is found in a menu
//	entries show what boot would offer
//	plan    show what would be loaded where
//	load    load, but do not jump
//	exec    jump to what load loaded; loads again if the list has grown
//	unload  drop what is loaded
//	verify  replay the list and compare it with PCR 10 of each bank
//	list    show the list, or write it in its binary form
//
// Options of boot, plan and load:
//
//	--initrd FILE          initial ramdisk (also --ramdisk, --initramfs)
//	--append STRING        command line (appended to the running kernel's with --reuse-cmdline)
//	--command-line STRING  command line
//	--reuse-cmdline        begin with the running kernel's command line
//	--dtb FILE             device tree instead of the running one
//	--carry auto|kernel|initramfs
//	                       how the list travels (default auto)
//	--carried auto|off     join the list that came as a file (default auto)
//	--prefix FILE          records that were deleted from the list's front
//	--policy FILE          IMA policy to load first
//	--require-measured     refuse a target that is in no record
//	--measure              extend the target into PCRs 9 and 8, with an event log
//	--tpm require|auto|off compare the list with PCR 10 (default auto)
//	--room BYTES           memory beyond the list in its segment
//	-v, -q                 say more, say nothing
//
// Options of boot and entries, where no KERNEL is named:
//
//	--from disk,net        where to look, and in which order
//	--wait DURATION        how long disks or the network may take to appear
//	--url ADDRESS          kernel on the network; --initrd are addresses then
//	--checksum sha256:HEX  of --url, and then of each --initrd
//	--entry NAME|NUMBER    the entry to boot
//	--timeout DURATION     how long the menu waits for a key
//	--no-menu              do not ask
//	--finally exit|shell|reboot
//	                       what to do when nothing can be booted
//
// These, and others that choose what is carried and measured, are also read
// from /etc/imaboot.conf (FLAG=VALUE a line) and from the kernel's command
// line (imaboot.FLAG=VALUE). Arguments win over the command line, and that
// over the file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// commands are what the first argument selects; without one of them it is
// boot.
var commands = map[string]func(*command, context.Context, []string) error{
	"boot":    (*command).boot,
	"entries": (*command).entries,
	"plan":    (*command).plan,
	"load":    (*command).load,
	"exec":    (*command).exec,
	"unload":  (*command).unload,
	"verify":  (*command).verify,
	"list":    (*command).list,
	"version": (*command).version,
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	c := newCommand(stdout, stderr)
	err := c.dispatch(context.Background(), args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	c.explain(err)
	if err := c.printOutcome(nil, err); err != nil {
		c.explain(err)
	}
	return refusal.Of(err).Code()
}

func (c *command) dispatch(ctx context.Context, args []string) error {
	if len(args) > 0 {
		if f, ok := commands[args[0]]; ok {
			return f(c, ctx, args[1:])
		}
	}
	return c.boot(ctx, args)
}

// version prints the version of imaboot, and what it was built from if the
// build knows.
func (c *command) version(_ context.Context, args []string) error {
	if err := parseFlags(c.flagSet("version"), args); err != nil {
		return err
	}
	words := []string{"imaboot", carry.Version}
	if info, ok := debug.ReadBuildInfo(); ok {
		words = append(words, info.GoVersion)
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				words = append(words, s.Value)
			}
		}
	}
	_, err := fmt.Fprintln(c.stdout, strings.Join(words, " "))
	return err
}
