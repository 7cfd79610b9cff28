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

// Why a policy cannot be loaded.
var (
	// ErrRule means that the kernel refuses a rule. None of the file's rules
	// are in force then.
	ErrRule = refusal.New(refusal.PolicyRefused, "policy is refused")
	// ErrFixed means that the kernel has taken its last policy.
	ErrFixed = refusal.New(refusal.PolicyFixed, "policy is fixed")
	// ErrBusy means that somebody else writes one.
	ErrBusy = refusal.New(refusal.PolicyBusy, "policy is being written by another program")
)

// policyFile is IMA's, under the root (security/integrity/ima/ima_fs.c).
const policyFile = "sys/kernel/security/integrity/ima/policy"

// A RuleError names the line of a rule.
type RuleError struct {
	// Line counts from 1.
	Line int
	Rule string
	// Reason is what the kernel's log says, "" for nothing.
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

// maxRule is what one write takes: a page less one byte (ima_write_policy),
// and pages have 4 KiB at least.
const maxRule = 4095

// A rule is one line.
type rule struct {
	line int
	text string
}

// rules splits a policy into the lines that the kernel is given: comments and
// empty ones are left out. It does not know what rules mean.
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
			return nil, &RuleError{r.line, r.text, "", fmt.Errorf("%w: a NUL in it", ErrRule)}
		case r.text[0] == '/':
			// The kernel would read a file of that name by itself.
			return nil, &RuleError{r.line, r.text, "", fmt.Errorf("%w: a path is no rule", ErrRule)}
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: it has no rule", ErrRule)
	}
	return out, nil
}

// Load gives a policy to the kernel, whose file systems are under root ("/"):
// one rule a write, all of them or none. It returns how many rules there are.
// Rules that a built-in policy had are replaced (Documentation/ABI/testing/
// ima_policy).
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
			_ = f.Close() // nothing of it takes effect
			if errors.Is(err, syscall.EACCES) {
				return 0, &RuleError{r.line, r.text, log.reason(), fmt.Errorf("%w: policies must be signed here, which only the kernel's own reading of a file can check: %w", ErrRule, err)}
			}
			return 0, &RuleError{r.line, r.text, log.reason(), fmt.Errorf("%w: %w", ErrRule, err)}
		}
	}
	if err := f.Close(); err != nil {
		return 0, fmt.Errorf("%w: %s: %w %s", ErrRule, name, err, log.reason())
	}
	return len(all), nil
}

// explain tells why the file cannot be opened: a kernel without
// CONFIG_IMA_WRITE_POLICY takes one policy, then removes it or its write bit.
func explain(name string, err error) error {
	switch {
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case errors.Is(err, fs.ErrNotExist):
		if _, dirErr := os.Stat(filepath.Dir(name)); dirErr != nil {
			return err
		}
		return fmt.Errorf("%w: one was loaded before, and the kernel takes no second (CONFIG_IMA_WRITE_POLICY is off): %w", ErrFixed, err)
	}
	if info, statErr := os.Stat(name); statErr == nil && info.Mode().Perm()&0o200 == 0 {
		return fmt.Errorf("%w: one was loaded before, and the kernel takes no second (CONFIG_IMA_WRITE_POLICY is off): %w", ErrFixed, err)
	}
	return err
}
