// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// demo shows the main job in a virtual machine: a stock Debian kernel as
// firmware boots another kernel with imaboot, and that kernel's list replays
// to PCR 10.
package main

import (
	"context"
	"fmt"
	"io"
	"maps"
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
	arch := "amd64"
	if len(os.Args) > 1 {
		arch = os.Args[1]
	}
	if err := demo(ctx, arch, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

// shows are the main job of each architecture: who is firmware, and who comes
// after it.
var shows = map[string]struct {
	kernels []string
	// tpm: what arrives can be compared.
	tpm bool
	how string
}{
	"amd64":   {[]string{lab.Debian61AMD64, lab.DebianNewAMD64}, true, "A PC with a TPM boots a stock Debian 6.1 as firmware, which boots Debian's newest kernel. That restores the list."},
	"ppc64le": {[]string{lab.Debian61, lab.Own4k}, true, "A ppc64le guest with a TPM boots a stock Debian 6.1 as firmware, which boots a kernel that restores the list."},
	"s390x":   {[]string{lab.Debian61S390X, lab.Debian61S390X, lab.DebianNewS390X}, false, "An s390x guest, which has no TPM, boots a stock Debian 6.1 as firmware, which boots a stock Debian 6.1, and that Debian's newest."},
}

func demo(ctx context.Context, arch string, out io.Writer) error {
	show, ok := shows[arch]
	if !ok {
		return fmt.Errorf("no demo for %q, only for %v", arch, slices.Sorted(maps.Keys(shows)))
	}
	l, err := lab.New(os.Stderr)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Prepare(ctx, show.kernels...); err != nil {
		return err
	}
	fmt.Fprintln(out, show.how)
	run := func(argv ...string) script.Step {
		return script.Step{Run: append([]string{"/bin/imaboot"}, argv...), Show: true}
	}
	verify := []string{"verify"}
	if !show.tpm {
		verify = append(verify, "--tpm=off")
	}
	g := lab.Guest{Arch: arch, CPUs: 2, Console: &filter{out: out}}
	for i, name := range show.kernels {
		kernel, err := l.Kernel(ctx, name)
		if err != nil {
			return err
		}
		s := lab.Stage{Kernel: kernel, Stage: script.Stage{Name: fmt.Sprintf("stage %d, %s", i+1, name)}}
		if i == 0 {
			s.Steps = append(s.Steps, script.Step{Measure: 20})
		}
		if i == len(show.kernels)-1 {
			s.Steps = append(s.Steps, run("list"))
		}
		if i > 0 {
			s.Steps = append(s.Steps, run(verify...))
		}
		if i < len(show.kernels)-1 {
			s.Steps = append(s.Steps, run("boot", "--initrd", lab.NextInitrd, "--command-line", lab.Cmdline(arch), lab.NextKernel))
		}
		g.Stages = append(g.Stages, s)
	}
	result, err := l.Run(ctx, g)
	if err != nil {
		return err
	}
	if n := len(result.Stages); n != len(show.kernels) {
		return fmt.Errorf("%d of %d stages were reached", n, len(show.kernels))
	}
	for _, s := range result.Stages {
		for _, e := range s.Runs {
			if e.Exit != 0 {
				return fmt.Errorf("%s: %v: exit code %d", s.Name, e.Argv, e.Exit)
			}
		}
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
