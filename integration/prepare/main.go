// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// prepare makes everything that guest tests need: packages of the host,
// kernels, and what they are built with. It is quiet when nothing is to be
// done.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

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
	return l.Prepare(ctx, lab.Kernels()...)
}
