// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// A Stage is a part of a run whose wall time is printed.
type Stage struct {
	Name string
	Run  func(ctx context.Context) error
}

// An Outcome is how a stage ended.
type Outcome struct {
	Name  string
	Start time.Time
	Took  time.Duration
	Err   error
}

// errNotRun is the outcome of a stage behind one that failed.
var errNotRun = errors.New("not run")

// run runs stages in their order. It ends at the first that fails, or with all
// at none.
func run(ctx context.Context, out io.Writer, all bool, stages []Stage) []Outcome {
	var outcomes []Outcome
	failed := false
	for _, s := range stages {
		o := Outcome{Name: s.Name, Start: time.Now(), Err: errNotRun}
		if ctx.Err() == nil && (all || !failed) {
			fmt.Fprintf(out, "== %s\n", s.Name)
			o.Err = s.Run(ctx)
			o.Took = time.Since(o.Start)
		}
		if o.Err != nil {
			failed = true
			if !errors.Is(o.Err, errNotRun) {
				fmt.Fprintf(out, "%s: %v\n", s.Name, o.Err)
			}
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// summarize prints the wall time of each stage. It returns an error that names
// the stages that failed.
func summarize(out io.Writer, outcomes []Outcome) error {
	fmt.Fprintln(out, "== wall time by stage")
	var total time.Duration
	var failed []error
	for _, o := range outcomes {
		total += o.Took
		fmt.Fprintf(out, "%9s  %-7s  %s\n", clock(o.Took), o.word(), o.Name)
		if o.Err != nil && !errors.Is(o.Err, errNotRun) {
			failed = append(failed, fmt.Errorf("%s failed", o.Name))
		}
	}
	fmt.Fprintf(out, "%9s           in all\n", clock(total))
	return errors.Join(failed...)
}

// word is the outcome in a word.
func (o Outcome) word() string {
	switch {
	case o.Err == nil:
		return "ok"
	case errors.Is(o.Err, errNotRun):
		return "not run"
	}
	return "FAILED"
}

// clock is a duration in minutes and seconds.
func clock(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%d:%02d min", d/time.Minute, d%time.Minute/time.Second)
}
