// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// imaboot boots the next kernel without losing what this one measured.
//
// It reads the list of IMA's measurements, checks it against PCR 10, puts it
// into a kexec segment of its own and names that segment in the boot protocol,
// so that the next kernel's list begins with it. A list that would not arrive is
// an error before the jump.
//
// "imaboot help" prints the commands, and "imaboot help COMMAND" the flags of
// one. The manual is docs/imaboot.8.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"

	"github.com/imaboot/imaboot/internal/build"
	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/refusal"
)

func main() {
	prepare(os.Stderr)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// prepare has libraries log as imaboot prints, and a fatal error of the runtime
// end in SIGABRT: its exit code would be that of wrong arguments.
func prepare(stderr io.Writer) {
	log.SetOutput(human.Writer{Out: stderr})
	debug.SetTraceback("crash")
}

// run returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	c := newCommand(stdout, stderr)
	err := refusal.Guard(func() error { return c.dispatch(context.Background(), args) })
	if err == nil {
		return 0
	}
	c.explain(err)
	// Other commands have printed what they found out before they refuse.
	if c.sub.outcome || !c.printed {
		if err := c.printOutcome(nil, err); err != nil {
			c.explain(err)
		}
	}
	return refusal.Of(err).Code()
}

// version prints the version of imaboot, and what it was built from if the
// build knows.
func (c *command) version(f *flag.FlagSet) action {
	c.jsonFlag(f)
	return func(context.Context, []string) error {
		b := build.Of(carry.Version)
		if c.asJSON {
			return c.printJSON(struct {
				head
				build.Info
			}{head{schema, c.sub.name}, b})
		}
		_, err := fmt.Fprintln(c.stdout, "imaboot", b)
		return err
	}
}
