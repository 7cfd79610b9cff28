// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package policy loads an IMA policy into the running kernel.
package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// Reasons why a policy cannot be loaded.
var (
	// ErrRule means that a rule was refused. No rule of the file is in
	// force.
	ErrRule = refusal.New(refusal.PolicyRefused, "policy is refused")
	// ErrFixed means that the kernel accepts no further policy.
	ErrFixed = refusal.New(refusal.PolicyFixed, "the kernel's policy is fixed")
	// ErrBusy means that another program is writing a policy.
	ErrBusy = refusal.New(refusal.PolicyBusy, "policy is being written by another program")
)

// policyFile is IMA's file, relative to the root
// (security/integrity/ima/ima_fs.c).
const policyFile = "sys/kernel/security/integrity/ima/policy"

// A RuleError says which rule was refused.
type RuleError struct {
	// Line is the number of the rule's line, counted from 1.
	Line int
	Rule string
	// Reason is what the kernel's log says about the rule, or "".
	Reason string
	Err    error
}

// Error implements error.
func (e *RuleError) Error() string {
	s := fmt.Sprintf("line %d: %q: %v", e.Line, e.Rule, e.Err)
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *RuleError) Unwrap() error { return e.Err }

// maxRule bounds the length of a line, newline included: one write accepts a
// page less one byte (ima_write_policy), and pages have at least 4 KiB.
const maxRule = 4095

// A rule is one line of a policy.
type rule struct {
	line int
	text string
}

// rules splits a policy into the lines to be written to the kernel, without
// comments and empty lines. It does not interpret the rules.
func rules(text []byte) ([]rule, error) {
	var out []rule
	for i, line := range bytes.Split(text, []byte("\n")) {
		r := rule{i + 1, strings.TrimSpace(string(line))}
		switch {
		case r.text == "" || r.text[0] == '#':
			continue
		case len(r.text) >= maxRule:
			return nil, &RuleError{r.line, r.text[:40] + "…", "", fmt.Errorf("%w: %d bytes, the kernel takes %d", ErrRule, len(r.text), maxRule-1)}
		case strings.ContainsRune(r.text, 0):
			return nil, &RuleError{r.line, r.text, "", fmt.Errorf("%w: it contains a NUL", ErrRule)}
		case r.text[0] == '/':
			// The kernel would read the policy from a file of that
			// name.
			return nil, &RuleError{r.line, r.text, "", fmt.Errorf("%w: a path is not a rule", ErrRule)}
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: it has no rule", ErrRule)
	}
	return out, nil
}

// Load loads a policy into the kernel, whose file systems are under root
// (normally "/"). It writes one rule at a time; either all rules take effect or
// none. It returns the number of rules. The rules of a built-in policy are
// replaced (Documentation/ABI/testing/ima_policy). The errors wrap ErrRule,
// ErrFixed, ErrBusy or the error of the file; one about a single rule is a
// *RuleError.
func Load(root string, text []byte) (int, error) {
	all, err := rules(text)
	if err != nil {
		return 0, err
	}
	name := filepath.Join(root, policyFile)
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return 0, explain(name, err)
	}
	log := openLog()
	defer log.close()
	for _, r := range all {
		if _, err := f.WriteString(r.text + "\n"); err != nil {
			_ = f.Close() // no rule takes effect
			if errors.Is(err, syscall.EACCES) {
				return 0, &RuleError{r.line, r.text, log.reason(), fmt.Errorf("%w: policies must be signed here, and the kernel can check that only for a file that it reads itself: %w", ErrRule, err)}
			}
			return 0, &RuleError{r.line, r.text, log.reason(), fmt.Errorf("%w: %w", ErrRule, err)}
		}
	}
	if err := f.Close(); err != nil {
		return 0, fmt.Errorf("%w: %s: %w %s", ErrRule, name, err, log.reason())
	}
	return len(all), nil
}

// explain says why the file cannot be opened. A kernel without
// CONFIG_IMA_WRITE_POLICY accepts one policy; then it removes the file or its
// write permission.
func explain(name string, err error) error {
	switch {
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case errors.Is(err, fs.ErrNotExist):
		if _, dirErr := os.Stat(filepath.Dir(name)); dirErr != nil {
			return err
		}
		return fmt.Errorf("%w: a policy was loaded before, and the kernel accepts no other (CONFIG_IMA_WRITE_POLICY is off): %w", ErrFixed, err)
	}
	if info, statErr := os.Stat(name); statErr == nil && info.Mode().Perm()&0o200 == 0 {
		return fmt.Errorf("%w: a policy was loaded before, and the kernel accepts no other (CONFIG_IMA_WRITE_POLICY is off): %w", ErrFixed, err)
	}
	return err
}
