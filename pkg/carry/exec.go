// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"context"
	"fmt"

	"github.com/imaboot/imaboot/pkg/policy"
	"github.com/imaboot/imaboot/pkg/quiesce"
)

// Exec stops all other processes, extends what Options.Measure asks for, takes a
// last look at list and PCR, and jumps. A list that has changed since it was
// loaded is loaded again, and so is always what an earlier process has loaded.
//
// Exec returns only with an error. Then nothing of this job is loaded, and the
// other processes continue. While it runs, a signal that would end or stop the
// program makes it return instead.
func (j *Job) Exec(ctx context.Context) error {
	ctx, done := quiesce.Guard(ctx)
	defer done()
	err := guard(func() error {
		if err := j.take(); err != nil {
			return err
		}
		defer j.goOn()
		// Another process may serve a file system: first sync, then stop.
		j.o.calls.sync()
		if err := j.ready(ctx); err != nil {
			return err
		}
		j.checkQuiet()
		if err := ctx.Err(); err != nil {
			return err
		}
		j.o.Log("jumping")
		return j.o.calls.exec()
	})
	return j.drop(err)
}

// ready returns when what is loaded carries the list as it is now. Extending
// comes last, so that a refusal leaves no trace in the PCRs, but before the
// last look.
func (j *Job) ready(ctx context.Context) error {
	if err := j.current(ctx); err != nil {
		return err
	}
	j.tell(j.loaded)
	if err := j.quiet(ctx); err != nil {
		return err
	}
	if err := j.predicted(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := j.extend(); err != nil {
		return err
	}
	same, err := j.unchanged(j.loaded.Snapshot)
	if err != nil || same {
		return err
	}
	return j.load(ctx, j.tell)
}

// current makes sure that this job has loaded something. What an earlier process
// has loaded may have been replaced by another tool since, which the kernel does
// not tell.
func (j *Job) current(ctx context.Context) error {
	if j.resumed {
		j.resumed = false
		j.o.Log("what load has loaded is loaded again: another tool may have replaced it")
		return j.load(ctx, nil)
	}
	if j.loaded == nil {
		return fmt.Errorf("%w by this job: call Load first", errNotLoaded)
	}
	return nil
}

// predicted makes sure that the kernel measures the jump as was predicted.
func (j *Job) predicted(ctx context.Context) error {
	rule, err := policy.MeasuresKexec(j.o.Root, j.o.Policy)
	if err != nil || ruleText(rule) == ruleText(j.rule) {
		return err
	}
	j.o.Log("the policy has changed: loading again")
	j.rule = rule
	return j.load(ctx, j.tell)
}

// tell reports what is about to be booted.
func (j *Job) tell(r *Result) {
	if j.o.Jumping != nil {
		j.o.Jumping(r)
	}
}

// ruleText is "" for no rule.
func ruleText(r *policy.KexecRule) string {
	if r == nil {
		return ""
	}
	return r.Text
}
