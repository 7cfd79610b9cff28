// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"context"
	"fmt"

	"github.com/imaboot/imaboot/pkg/policy"
)

// Exec extends what Options.Measure asks for, takes a last look at list and
// PCR, and jumps. A list that has changed since it was loaded is loaded again.
// Exec returns only with an error, and then nothing of this job is loaded.
func (j *Job) Exec(ctx context.Context) error {
	err := guard(func() error {
		if err := j.take(); err != nil {
			return err
		}
		j.o.calls.sync()
		if err := j.ready(ctx); err != nil {
			return err
		}
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

// current makes sure that something is loaded, by this job or an earlier
// process, and that the kernel still measures the jump as was predicted.
func (j *Job) current(ctx context.Context) error {
	if j.kept != nil {
		return j.resume(ctx)
	}
	if j.loaded == nil {
		return fmt.Errorf("%w by this job: call Load first", errNotLoaded)
	}
	rule, err := policy.MeasuresKexec(j.o.Root, j.o.Policy)
	if err != nil || ruleText(rule) == ruleText(j.rule) {
		return err
	}
	j.o.Log("the policy has changed: loading again")
	j.rule = rule
	return j.load(ctx, nil)
}

// tell reports what is about to be booted.
func (j *Job) tell(r *Result) {
	if j.o.Jumping != nil {
		j.o.Jumping(r)
	}
}

// resume makes sure that what an earlier process loaded still carries this
// list, and else loads it again.
func (j *Job) resume(ctx context.Context) error {
	kept := j.kept
	j.kept = nil
	if j.o.Measure {
		j.o.Log("what is booted is measured at the jump: loading again")
		return j.load(ctx, nil)
	}
	now, err := j.r.snapshot(ctx)
	if err != nil {
		return err
	}
	rule, err := policy.MeasuresKexec(j.o.Root, j.o.Policy)
	if err != nil {
		return err
	}
	if now.SHA256() != kept.Digest || ruleText(rule) != kept.KexecRule || !j.o.accept(now.Report.Verdict) {
		j.o.Log("the list is not the one that was loaded: loading again")
		return j.load(ctx, nil)
	}
	j.loaded = &Result{Snapshot: now, By: kept.By, Why: kept.Why}
	return nil
}

// ruleText is "" for no rule.
func ruleText(r *policy.KexecRule) string {
	if r == nil {
		return ""
	}
	return r.Text
}
