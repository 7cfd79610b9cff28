// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"errors"
	"flag"
	"slices"

	"github.com/imaboot/imaboot/internal/flags"
)

// A subcommand is what the first argument selects. Help and documentation are
// made from it and from its flags.
type subcommand struct {
	name string
	// args are the arguments other than flags: none, "KERNEL" or "[KERNEL]".
	args string
	// does says in one line what the command does, and more the rest.
	does, more string
	// outcome means that --json reports an outcome, also for a refusal.
	outcome bool
	// setup defines the command's flags and returns what runs it.
	setup func(*command, *flag.FlagSet) action
}

// An action runs a command with its arguments other than flags.
type action func(ctx context.Context, args []string) error

// commands begins with the default.
var commands = []subcommand{
	{name: "boot", args: "[KERNEL]", does: "find a kernel, carry the list and boot it", outcome: true, setup: (*command).boot,
		more: "Without KERNEL, boot looks at disks and on the network, reads the configurations of boot loaders there and shows their entries in a menu. This is the default command."},
	{name: "entries", does: "show what boot would offer", setup: (*command).entries},
	{name: "plan", args: "KERNEL", does: "show what would be loaded where", setup: (*command).plan,
		more: "Nothing is loaded."},
	{name: "load", args: "KERNEL", does: "load KERNEL and the list, but do not jump", outcome: true, setup: (*command).load,
		more: "The command exec jumps."},
	{name: "exec", does: "load again what load has loaded, and jump to it", outcome: true, setup: (*command).exec,
		more: "Another tool may have loaded something else since, so exec reads the files of the target again. It writes file systems back and stops all other processes, but it does not shut down services."},
	{name: "unload", does: "drop what is loaded", setup: (*command).unload},
	{name: "verify", does: "compare the list with the TPM in every bank", setup: (*command).verify,
		more: "The list is replayed. It includes what earlier kernels sent as a file."},
	{name: "list", does: "show the list, or write it to a file", setup: (*command).list,
		more: "The list includes what earlier kernels sent as a file. On a terminal, everything but printable characters is escaped, and a binary list is refused."},
	{name: "version", does: "print the version", setup: (*command).version},
}

// dispatch runs the command that args name, or the default.
func (c *command) dispatch(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
	c.sub = &commands[0]
	named := slices.IndexFunc(commands, func(s subcommand) bool { return len(args) > 0 && s.name == args[0] })
	if named >= 0 {
		c.sub, args = &commands[named], args[1:]
	}
	f, run := c.flagSet()
	others, err := flags.Parse(f, args)
	switch {
	case errors.Is(err, flag.ErrHelp) && named >= 0:
		return c.help(f)
	case errors.Is(err, flag.ErrHelp):
		return c.overview()
	case err != nil:
		return usagef("%v", err)
	}
	if err := c.sub.check(others); err != nil {
		return err
	}
	return run(ctx, others)
}

// check holds that the number of arguments is right.
func (s *subcommand) check(args []string) error {
	switch n := len(args); {
	case s.args == "" && n > 0:
		return usagef("unexpected argument %q", args[0])
	case s.args == "KERNEL" && n != 1:
		return usagef("one KERNEL is needed, %d are given", n)
	case n > 1:
		return usagef("one KERNEL at most, %d are given", n)
	}
	return nil
}
