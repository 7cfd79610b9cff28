// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// fuzzers is how many targets are fuzzed at once, each by one worker. A worker
// does not keep a CPU busy while go test builds and starts it.
const fuzzers = 4

// A Target is a fuzz target.
type Target struct{ Package, Name string }

// Fuzzed is what became of a target.
type Fuzzed struct {
	Target
	Start time.Time
	Took  time.Duration
	// Execs is how often it was run, as go test says.
	Execs string
	Err   error
}

// targets finds them in the output of go test -list, where the names of a
// package's targets stand before its "ok" line.
func targets(list string) []Target {
	var found []Target
	var names []string
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		switch {
		case len(f) == 1 && strings.HasPrefix(f[0], "Fuzz"):
			names = append(names, f[0])
		case len(f) > 1 && f[0] == "ok":
			for _, n := range names {
				found = append(found, Target{f[1], n})
			}
			names = nil
		}
	}
	return found
}

// fuzz fuzzes every target of the project for a time.
func (c *checker) fuzz(ctx context.Context, d time.Duration) error {
	packages, err := c.packages(ctx)
	if err != nil {
		return err
	}
	list, err := c.output(ctx, "go", append([]string{"test", "-vet=off", "-list=^Fuzz"}, packages...)...)
	if err != nil {
		return err
	}
	todo := targets(list)
	if len(todo) == 0 {
		return errors.New("there are no fuzz targets")
	}
	fuzzed := make([]Fuzzed, len(todo))
	var wg sync.WaitGroup
	slots := make(chan struct{}, fuzzers)
	var printing sync.Mutex
	for i, t := range todo {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			fuzzed[i] = c.fuzzOne(ctx, t, d)
			printing.Lock()
			defer printing.Unlock()
			fmt.Fprintf(c.out, "%s %s: %s runs\n", filepath.Base(t.Package), t.Name, fuzzed[i].Execs)
		})
	}
	wg.Wait()
	c.fuzzed = fuzzed
	var failed []error
	for _, f := range fuzzed {
		failed = append(failed, f.Err)
	}
	return errors.Join(failed...)
}

// execs finds the last count in what go test -fuzz prints.
var execs = regexp.MustCompile(`execs: (\d+)`)

// kept is the text before the name of a file with an input that failed.
const kept = "Failing input written to "

// fuzzOne fuzzes one target. go test keeps an input that fails.
func (c *checker) fuzzOne(ctx context.Context, t Target, d time.Duration) Fuzzed {
	f := Fuzzed{Target: t, Start: time.Now(), Execs: "0"}
	out, err := c.fuzzCommand(ctx, t, d)
	if err != nil && ended(out) {
		out, err = c.fuzzCommand(ctx, t, d)
	}
	f.Took = time.Since(f.Start)
	if all := execs.FindAllSubmatch(out, -1); len(all) > 0 {
		f.Execs = string(all[len(all)-1][1])
	}
	if err != nil {
		f.Err = fmt.Errorf("%s in %s: %w\n%s%s", t.Name, t.Package, err, out, advice(out))
	}
	return f
}

// fuzzCommand is one run of go test. Go makes an input smaller for a minute if
// it reaches something new, which would be all of a short run.
func (c *checker) fuzzCommand(ctx context.Context, t Target, d time.Duration) ([]byte, error) {
	return c.cmd(ctx, "go", "test", "-vet=off", "-run=^$", "-fuzz=^"+t.Name+"$",
		"-fuzztime="+d.String(), "-fuzzminimizetime=1s", "-parallel=1", t.Package).CombinedOutput()
}

// ended tells whether go test failed only because its time was over: it does so
// now and then on a busy machine, and then has no input to show.
func ended(out []byte) bool {
	return bytes.Contains(out, []byte("context deadline exceeded")) && !bytes.Contains(out, []byte(kept))
}

// advice says what to do with an input that failed.
func advice(out []byte) string {
	_, rest, ok := bytes.Cut(out, []byte(kept))
	if !ok {
		return ""
	}
	name, _, _ := bytes.Cut(rest, []byte("\n"))
	return fmt.Sprintf("Commit %s of that package together with the fix: go test runs it from then on.\n", name)
}
