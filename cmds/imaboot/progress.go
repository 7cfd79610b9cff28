// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// A command is one run of imaboot: where it prints, and how much.
type command struct {
	// Both escape what would control a terminal. Only a list that is written
	// to the byte goes to raw, which is standard output.
	stdout, stderr human.Writer
	raw            io.Writer
	start          time.Time
	verbose, quiet bool
	// asJSON prints for machines, and printed says that an object was.
	asJSON, printed bool
	sub             *subcommand
	// sawTPM: an entry that was tried before saw a TPM, so there must still be
	// one.
	sawTPM bool
}

func newCommand(stdout, stderr io.Writer) *command {
	return &command{stdout: human.Writer{Out: stdout}, stderr: human.Writer{Out: stderr}, raw: stdout, start: time.Now()}
}

// step prints one line of progress, with the time since the start.
func (c *command) step(format string, args ...any) {
	if !c.quiet {
		fmt.Fprintf(c.stderr, "imaboot: %7.3fs %s\n", time.Since(c.start).Seconds(), human.Printable(fmt.Sprintf(format, args...)))
	}
}

// detail is a step for -v.
func (c *command) detail(format string, args ...any) {
	if c.verbose {
		c.step(format, args...)
	}
}

// explain prints an error, and what helps to understand it.
func (c *command) explain(err error) {
	// Every refusal begins with its name. A name of a file may hold a line that
	// looks like another message: all lines but the first are marked.
	text := strings.ReplaceAll(refusal.Of(err).Text(err.Error()), "\n", "\nimaboot: | ")
	fmt.Fprintf(c.stderr, "imaboot: %s\n", text)
	if mapErr := archdesc.WriteMap(c.stderr, err); mapErr != nil {
		fmt.Fprintf(c.stderr, "imaboot: memory map: %v\n", mapErr)
	}
}
