// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// demo shows the main job in a virtual machine: a stock Debian kernel as
// firmware boots another kernel with imaboot, and that kernel's list replays
// to PCR 10.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	arch := "ppc64le"
	if len(os.Args) > 1 {
		arch = os.Args[1]
	}
	if err := demo(ctx, arch, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

// arches are what a demo can show.
var arches = []string{"ppc64le"}

func demo(ctx context.Context, arch string, out io.Writer) error {
	if !slices.Contains(arches, arch) {
		return fmt.Errorf("no demo for %q, only for %v", arch, arches)
	}
	l, err := lab.New(os.Stderr)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Prepare(ctx, lab.Debian61, lab.Own4k); err != nil {
		return err
	}
	firmware, err := l.Kernel(ctx, lab.Debian61)
	if err != nil {
		return err
	}
	next, err := l.Kernel(ctx, lab.Own4k)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "A %s guest with a TPM boots %s as firmware, which boots %s.\n", arch, lab.Debian61, lab.Own4k)
	show := func(argv ...string) script.Step { return script.Step{Run: argv, Show: true} }
	result, err := l.Run(ctx, lab.Guest{
		Arch: arch, CPUs: 2, Console: &filter{out: out},
		// Debian 6.1 measures nothing on tmpfs.
		Append: "rootfstype=ramfs",
		Stages: []lab.Stage{
			{Kernel: firmware, Stage: script.Stage{Name: "firmware", Steps: []script.Step{
				{Measure: 20},
				show("/bin/imaboot", "boot", "--initrd", lab.NextInitrd, "--command-line", lab.Cmdline, lab.NextKernel),
			}}},
			{Kernel: next, Stage: script.Stage{Name: "next", Steps: []script.Step{
				show("/bin/imaboot", "list"),
				show("/bin/imaboot", "verify"),
			}}},
		},
	})
	if err != nil {
		return err
	}
	last, err := result.Stage("next")
	if err != nil {
		return err
	}
	if n := len(last.Runs); n == 0 || last.Runs[n-1].Exit != 0 {
		return errors.New("the list did not arrive as it was sent")
	}
	return nil
}

// filter leaves out the guest's reports to the host.
type filter struct {
	out  io.Writer
	line strings.Builder
}

func (f *filter) Write(b []byte) (int, error) {
	for _, c := range b {
		f.line.WriteByte(c)
		if c != '\n' {
			continue
		}
		line := strings.TrimRight(f.line.String(), "\r\n")
		f.line.Reset()
		if line != "" && !strings.Contains(line, script.Mark) {
			fmt.Fprintln(f.out, line)
		}
	}
	return len(b), nil
}
