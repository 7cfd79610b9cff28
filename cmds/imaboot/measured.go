// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/policy"
	"github.com/imaboot/imaboot/pkg/target"
)

// loadPolicy gives a policy to IMA, so that it measures what is opened next.
func (c *command) loadPolicy(o *options) error {
	name := o.Policy
	if name == "" {
		return nil
	}
	// A kernel without IMA is told apart from a policy that is refused.
	if _, err := handover.LiveCount("/"); err != nil {
		return err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("%w: %w", target.ErrFile, err)
	}
	o.PolicyText = string(text)
	n, err := policy.Load("/", text)
	if errors.Is(err, policy.ErrFixed) {
		// A boot that failed before may have loaded this very one.
		if before, readErr := handover.ReadFile(policyFile, int64(len(text))); readErr == nil && bytes.Equal(before, text) {
			c.step("policy %s: it is loaded already", name)
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.step("policy %s: %d rules", name, n)
	if err := os.MkdirAll(filepath.Dir(policyFile), 0o700); err != nil {
		return err
	}
	return os.WriteFile(policyFile, text, 0o600)
}

// policyFile is the policy that imaboot has loaded.
const policyFile = "/run/imaboot/policy"

// checkMeasured finds the content of the target's files in the list: of the very
// bytes that will be loaded.
func (c *command) checkMeasured(j *job, l *handover.List) error {
	if !j.opts.RequireMeasured {
		return nil
	}
	for _, f := range j.targetFiles() {
		n := l.Measured(f.Data)
		if n == 0 {
			return fmt.Errorf("%w: the content of %s is in no record of the list: load a policy that measures what is read (--policy), and let nobody write to it", handover.ErrNotMeasured, f.Name)
		}
		c.step("%s is measured: record %d", f.Name, n)
	}
	return nil
}

// targetFiles are those that are loaded, and not only looked at.
func (j *job) targetFiles() []*target.File {
	names := append([]string{j.opts.Kernel, j.opts.DTB}, j.opts.Initrds...)
	return slices.DeleteFunc(slices.Clone(j.files), func(f *target.File) bool { return !slices.Contains(names, f.Name) })
}
