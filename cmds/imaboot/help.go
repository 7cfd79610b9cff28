// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"flag"
	"fmt"
	"strings"

	"github.com/imaboot/imaboot/internal/flags"
	"github.com/imaboot/imaboot/internal/human"
)

// columns are those of a terminal.
const columns = 80

// overview prints the commands.
func (c *command) overview() error {
	var b strings.Builder
	b.WriteString("imaboot boots the next kernel without losing what this one measured.\n\n")
	for _, s := range commands {
		fmt.Fprintf(&b, "  %-31s  %s\n", s.usage(), s.does)
	}
	b.WriteString("\nimaboot COMMAND --help explains a command and its flags.\n")
	_, err := fmt.Fprint(c.stdout, b.String())
	return err
}

// help prints what the command does, and its flags.
func (c *command) help(f *flag.FlagSet) error {
	_, err := fmt.Fprintf(c.stdout, "usage: %s\n\n%s\nflags:\n%s",
		c.sub.usage(), human.Wrap(c.sub.text(), 0, columns), flags.Help(f, columns))
	return err
}

// usage is how the command is called.
func (s *subcommand) usage() string {
	name := s.name
	if name == commands[0].name {
		name = "[" + name + "]"
	}
	return strings.TrimSpace("imaboot " + name + " [flags] " + s.args)
}

// text says in sentences what the command does.
func (s *subcommand) text() string {
	return strings.TrimSpace(strings.ToUpper(s.does[:1]) + s.does[1:] + ". " + s.more)
}
