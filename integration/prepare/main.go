// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// prepare installs and makes everything that guest tests need: packages of the
// host, and kernels. With --all it also builds the kernels that only ./run test
// --all uses. It prints nothing when there is nothing to do.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"

	"github.com/imaboot/imaboot/integration/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := prepare(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "prepare: %v\n", err)
		os.Exit(1)
	}
}

func prepare(ctx context.Context) error {
	l, err := lab.New(os.Stderr)
	if err != nil {
		return err
	}
	defer l.Close()
	kernels := lab.FewKernels()
	if slices.Contains(os.Args[1:], "--all") {
		kernels = lab.Kernels()
	}
	return l.PrepareSuite(ctx, kernels...)
}
