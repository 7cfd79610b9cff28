// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// ci runs the project's checks and tests: ./run calls it in the top directory
// of the work tree.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/imaboot/imaboot/integration/suite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := ci(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "run: %v\n", err)
		os.Exit(1)
	}
}

func ci(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	is := func(words ...string) bool {
		if len(args) < len(words) {
			return false
		}
		for i, w := range words {
			if args[i] != w {
				return false
			}
		}
		return true
	}
	switch {
	case is("check") && len(args) == 1:
		return suite.Check(ctx, out, dir)
	case is("test", "--all") && len(args) == 2:
		return suite.Whole(ctx, out, dir)
	case is("test") && len(args) == 1:
		return suite.Gate(ctx, out, dir)
	case is("fresh") && len(args) > 1:
		return suite.Fresh(ctx, out, dir, args[1], args[2:]...)
	case is("results") && len(args) == 1:
		// What go test -json has printed, as a table.
		tests, err := suite.ReadTests(in, io.Discard)
		if err != nil {
			return err
		}
		return (&suite.Results{Guests: tests}).Write(out)
	}
	return fmt.Errorf("ci does not know %q", args)
}
