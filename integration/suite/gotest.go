// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package suite

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A Test is what go test said of a test.
type Test struct {
	// Name has the names of subtests behind slashes.
	Name string
	// Result is pass, fail or skip.
	Result string
	Took   time.Duration
	// At is when it ended.
	At time.Time
	// Guests are those that it booted.
	Guests []Guest
}

// A Guest is a guest of a test.
type Guest struct {
	Arch     string
	Took     time.Duration
	Releases []string
}

// event is a line of go test -json (go doc test2json).
type event struct {
	Time    time.Time
	Action  string
	Test    string
	Elapsed float64 // seconds
	Output  string
}

// goTest runs go test and prints what it prints with -v.
func (c *checker) goTest(ctx context.Context, env []string, args ...string) ([]Test, error) {
	cmd := c.cmd(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = c.out
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	tests, readErr := ReadTests(stdout, c.out)
	if err := cmd.Wait(); err != nil {
		return tests, errors.Join(fmt.Errorf("go test: %w", err), readErr)
	}
	return tests, readErr
}

// ReadTests reads the output of go test -json, and prints it on out as go test
// -v would. Tests are in the order in which they ended; those that only have
// subtests are left out unless they failed.
func ReadTests(r io.Reader, out io.Writer) ([]Test, error) {
	var tests []Test
	guests := map[string][]Guest{}
	parents := map[string]bool{}
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return leaves(tests, parents), nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("go test -json: %q: %w", line, err)
		}
		switch e.Action {
		case "output", "build-output":
			if _, err := io.WriteString(out, e.Output); err != nil {
				return nil, err
			}
			if arch, d, releases, ok := parseGuestLine(e.Output); ok {
				guests[e.Test] = append(guests[e.Test], Guest{arch, d, releases})
			}
		case "pass", "fail", "skip":
			if e.Test == "" {
				continue // a package
			}
			if i := strings.LastIndexByte(e.Test, '/'); i > 0 {
				parents[e.Test[:i]] = true
			}
			took := time.Duration(e.Elapsed * float64(time.Second))
			tests = append(tests, Test{e.Test, e.Action, took, e.Time, guests[e.Test]})
		}
	}
}

func leaves(tests []Test, parents map[string]bool) []Test {
	var kept []Test
	for _, t := range tests {
		if !parents[t.Name] || t.Result == "fail" || len(t.Guests) > 0 {
			kept = append(kept, t)
		}
	}
	return kept
}
