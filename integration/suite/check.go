// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// vetted are the GOARCHes that go vet looks at.
var vetted = []string{"amd64", "arm64", "ppc64le", "riscv64", "s390x"}

// linter is the program that .golangci.yaml configures.
const linter = "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0"

// A checker runs commands in the top directory of the work tree.
type checker struct {
	out io.Writer
	dir string
	// fuzzed collects what was fuzzed.
	fuzzed []Fuzzed
}

// stages need neither root nor QEMU.
func (c *checker) stages(e effort) []Stage {
	return []Stage{
		{"format", c.format},
		{"vet", c.vet},
		{"lint", func(ctx context.Context) error { return c.command(ctx, nil, "go", "run", linter, "run", "./...") }},
		{"go.mod", func(ctx context.Context) error { return c.command(ctx, nil, "go", "mod", "tidy", "-diff") }},
		{"tests with the race detector", c.race},
		{fmt.Sprintf("model of replays, %d lists", e.chains), func(ctx context.Context) error { return c.model(ctx, e.chains) }},
		{fmt.Sprintf("fuzzing, %v each", e.fuzz), func(ctx context.Context) error { return c.fuzz(ctx, e.fuzz) }},
	}
}

// command runs a command with further variables in its environment.
func (c *checker) command(ctx context.Context, env []string, name string, args ...string) error {
	cmd := c.cmd(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = c.out, c.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return nil
}

// cmd makes a command that, when it is interrupted, has some time to end what
// it started.
func (c *checker) cmd(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = c.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	return cmd
}

// output is what a command prints on stdout.
func (c *checker) output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := c.cmd(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

func (c *checker) format(ctx context.Context) error {
	files, err := c.output(ctx, "gofmt", "-l", ".")
	if err != nil {
		return err
	}
	if files != "" {
		return fmt.Errorf("run gofmt -w on %s", strings.Join(strings.Fields(files), " "))
	}
	return nil
}

func (c *checker) vet(ctx context.Context) error {
	for _, arch := range vetted {
		if err := c.command(ctx, []string{"CGO_ENABLED=0", "GOARCH=" + arch}, "go", "vet", "./..."); err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
	}
	return nil
}

// errNoCompiler: Go needs cgo for the race detector, and cgo a C compiler with
// the headers of the C library.
var errNoCompiler = errors.New("the race detector needs a C compiler and the C library's headers: install gcc and libc6-dev")

func (c *checker) race(ctx context.Context) error {
	compiler, err := c.output(ctx, "go", "env", "CC")
	if err != nil {
		return err
	}
	words := strings.Fields(compiler)
	if len(words) == 0 {
		return errNoCompiler
	}
	test := c.cmd(ctx, words[0], append(words[1:], "-E", "-include", "stdlib.h", "-x", "c", os.DevNull)...)
	if err := test.Run(); err != nil {
		return fmt.Errorf("%w (%s: %w)", errNoCompiler, words[0], err)
	}
	packages, err := c.packages(ctx)
	if err != nil {
		return err
	}
	return c.command(ctx, []string{"CGO_ENABLED=1"}, "go", append([]string{"test", "-race", "-count=1"}, packages...)...)
}

// model replays random lists. It does so without the race detector, under which
// it takes ten times as long: the tests with the detector replay some as well.
func (c *checker) model(ctx context.Context, chains int) error {
	return c.command(ctx, nil, "go", "test", "-vet=off", "-count=1", "-timeout=1h", "-run=^TestModel$", "./pkg/handover",
		"-args", fmt.Sprintf("-chains=%d", chains))
}

// packages are all but the one whose tests boot guests.
func (c *checker) packages(ctx context.Context) ([]string, error) {
	list, err := c.output(ctx, "go", "list", "./...")
	if err != nil {
		return nil, err
	}
	var packages []string
	for p := range strings.FieldsSeq(list) {
		if !strings.HasSuffix(p, "/integration") {
			packages = append(packages, p)
		}
	}
	return packages, nil
}
