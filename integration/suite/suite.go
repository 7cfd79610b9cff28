// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package suite runs the project's checks and tests in stages, prints how long
// each took, and writes the results of a whole run.
package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/imaboot/imaboot/integration/lab"
)

// An effort is how much is tried of what has no end.
type effort struct {
	// fuzz is how long each fuzz target is fuzzed.
	fuzz time.Duration
	// chains is how many random lists are replayed by the model.
	chains int
}

// The efforts of a short and of a whole run.
var (
	short = effort{fuzz: 5 * time.Second, chains: 2000}
	long  = effort{fuzz: time.Minute, chains: 100_000}
)

// guestBudget is what the guests of one architecture may take in ./run test.
const guestBudget = 6 * time.Minute

// parallel is how many guests run at once.
const parallel = 2

// resultsFile is where a whole run writes its results.
const resultsFile = "docs/results.md"

// Check runs what needs neither root nor QEMU, in the work tree dir.
func Check(ctx context.Context, out io.Writer, dir string) error {
	c := &checker{out: out, dir: dir}
	return summarize(out, run(ctx, out, false, c.stages(short)))
}

// Gate runs Check and the guests that gate a change.
func Gate(ctx context.Context, out io.Writer, dir string) error {
	s := &session{checker: checker{out: out, dir: dir}}
	return summarize(out, run(ctx, out, false, s.stages(short)))
}

// Whole runs everything there is, whatever fails, and writes the results.
func Whole(ctx context.Context, out io.Writer, dir string) error {
	s := &session{checker: checker{out: out, dir: dir}, all: true}
	start := time.Now()
	stages := s.stages(long)
	for _, release := range Releases {
		stages = append(stages, Stage{"fresh " + release, func(ctx context.Context) error {
			outcomes, err := s.fresh(ctx, release, newcomer)
			s.newcomers = append(s.newcomers, outcomes...)
			return err
		}})
	}
	outcomes := run(ctx, out, true, stages)
	err := summarize(out, outcomes)
	if ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	r := &Results{
		Start: start, Commit: s.commit(ctx), Machine: s.machine(ctx),
		Stages: outcomes, Guests: s.guests, Fuzzed: s.fuzzed, Fresh: s.newcomers,
	}
	return errors.Join(err, r.save(filepath.Join(dir, resultsFile)))
}

// Fresh runs the README's commands, or the named ones of them, on a fresh
// machine.
func Fresh(ctx context.Context, out io.Writer, dir, release string, commands ...string) error {
	for _, c := range commands {
		if !slices.Contains(newcomer, c) {
			return fmt.Errorf("a newcomer runs %s, not %q", strings.Join(newcomer, " and "), c)
		}
	}
	if len(commands) == 0 {
		commands = newcomer
	}
	c := &checker{out: out, dir: dir}
	outcomes, err := c.fresh(ctx, release, commands)
	if len(outcomes) == 0 {
		return err
	}
	return errors.Join(summarize(out, outcomes), err)
}

// A session is a run with guests, and what it found.
type session struct {
	checker
	all       bool
	guests    []Test
	newcomers []Outcome
}

func (s *session) stages(e effort) []Stage {
	stages := append([]Stage{{"prepare", s.prepare}}, s.checker.stages(e)...)
	for _, arch := range lab.Architectures() {
		if arch != runtime.GOARCH {
			stages = append(stages, Stage{"tests as " + arch + " programs", func(ctx context.Context) error { return s.emulated(ctx, arch) }})
		}
	}
	return append(stages, Stage{"guests", s.boot})
}

// prepare installs and makes what the tests need.
func (s *session) prepare(ctx context.Context) error {
	l, err := lab.New(s.out)
	if err != nil {
		return err
	}
	defer l.Close()
	kernels := lab.FewKernels()
	if s.all {
		kernels = lab.Kernels()
	}
	return l.PrepareSuite(ctx, kernels...)
}

// faultTests touch a mapped file that has become shorter. Emulators die of that, or
// do not say where it was.
const faultTests = "^Test.*Fault$"

// emulated runs the tests of the command and the library as programs of an
// architecture.
func (s *session) emulated(ctx context.Context, arch string) error {
	emulator, err := lab.Emulator(arch)
	if err != nil {
		return err
	}
	return s.command(ctx, []string{"CGO_ENABLED=0", "GOARCH=" + arch}, "go", "test", "-vet=off", "-count=1", "-exec="+emulator, "-skip="+faultTests, "./cmds/...", "./pkg/...")
}

// boot runs the tests that boot guests.
func (s *session) boot(ctx context.Context) error {
	args := []string{"-count=1", fmt.Sprintf("-parallel=%d", parallel)}
	env, timeout := lab.Gate, "50m"
	if s.all {
		env, timeout = lab.Whole, "4h"
	} else {
		args = append(args, "-skip="+skipPattern(onlyAll))
	}
	tests, err := s.goTest(ctx, []string{lab.Variable + "=" + env}, append(args, "-timeout="+timeout, "./integration")...)
	s.guests = tests
	count, took := guestTimes(tests)
	for _, arch := range slices.Sorted(maps.Keys(took)) {
		fmt.Fprintf(s.out, "%s: %d guests, %d at a time, took %s", arch, count[arch], parallel, clock(took[arch]/parallel))
		if !s.all {
			fmt.Fprintf(s.out, "; the budget is %s", clock(guestBudget))
		}
		fmt.Fprintln(s.out)
	}
	if !s.all {
		printLeft(s.out, onlyAll)
	} else if err == nil {
		if names := unknown(onlyAll, tests); len(names) > 0 {
			err = fmt.Errorf("integration/suite/rows.go names tests that do not exist: %s", strings.Join(names, ", "))
		}
	}
	return err
}

// commit is that of the work tree.
func (c *checker) commit(ctx context.Context) string {
	commit, err := c.output(ctx, "git", "describe", "--always", "--dirty")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(commit)
}

// machine describes this one: a result says little without it.
func (c *checker) machine(ctx context.Context) string {
	system := "an unknown system"
	if b, err := os.ReadFile("/etc/os-release"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
				system = strings.Trim(name, "\"\n")
			}
		}
	}
	words := []string{system, runtime.GOARCH, fmt.Sprintf("%d CPUs", runtime.NumCPU()), runtime.Version()}
	if version, err := c.output(ctx, "qemu-system-ppc64", "--version"); err == nil {
		first, _, _ := strings.Cut(version, "\n")
		words = append(words, first)
	}
	return strings.Join(words, ", ")
}

// save writes the results to a file.
func (r *Results) save(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(r.Write(f), f.Close())
}
