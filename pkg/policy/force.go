// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/cmdline"
)

// A force is what can be known about the policy in force.
type force struct {
	// rules are the policy's lines; they may be empty.
	rules string
	// cmdline is the kernel's command line where that chose the policy, so
	// that no line of it is known.
	cmdline string
	// unknown says why other rules may be in force as well, "" if none are.
	unknown string
}

// inForce finds the policy in force: the kernel shows it (CONFIG_IMA_READ_POLICY),
// or imaboot loaded it, or the command line chose it. The last two rest on how
// the policy file looks afterwards (ima_release_policy of ima_fs.c): a kernel
// that takes one policy removes the file, or its write bit.
//
// A kernel with CONFIG_IMA_WRITE_POLICY, which takes several, shows them unless
// somebody configured it not to. For such a kernel, a policy that another
// program loaded is missed.
func inForce(root, loaded string) (*force, error) {
	name := filepath.Join(root, policyFile)
	info, err := os.Stat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("IMA policy: %w", err)
	}
	takesMore := err == nil && info.Mode().Perm()&0o200 != 0
	// Without the read bit the kernel refuses even root.
	if err == nil && info.Mode().Perm()&0o400 != 0 {
		text, err := os.ReadFile(name)
		if err == nil {
			return &force{rules: string(text)}, nil
		}
		if !errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("IMA policy: %w", err)
		}
	}
	switch {
	case loaded != "" && takesMore:
		return &force{rules: loaded, unknown: "the kernel takes more than one policy, and shows none"}, nil
	case loaded != "":
		return &force{rules: loaded}, nil
	}
	line, err := os.ReadFile(filepath.Join(root, "proc/cmdline"))
	if err != nil {
		return nil, err
	}
	f := &force{cmdline: string(line)}
	if !takesMore {
		f.unknown = "the kernel does not show the policy that another program loaded"
	}
	return f, nil
}

// chosen returns the word of a command line by which the kernel chooses one of
// its own policies, "" if there is none. Their names are divided as policy_setup
// of ima_policy.c does.
func chosen(line, policy string) string {
	for names := range cmdline.Setup(line, "ima_policy=") {
		if slices.Contains(strings.FieldsFunc(names, func(r rune) bool { return strings.ContainsRune(" |\n", r) }), policy) {
			return "ima_policy=" + names
		}
	}
	return ""
}

// A line is a rule, divided into words.
type line struct {
	action     string
	conditions []condition
}

type condition struct{ key, value string }

// parseLine divides a rule as ima_parse_rule of ima_policy.c does. The action of
// an empty line is "".
func parseLine(text string) line {
	words := strings.Fields(text)
	if len(words) == 0 {
		return line{}
	}
	l := line{action: words[0]}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		l.conditions = append(l.conditions, condition{key, value})
	}
	return l
}

// hook is the function of the kernel that the rule is about, "" for all.
func (l line) hook() string {
	for _, c := range l.conditions {
		if c.key == "func" {
			return c.value
		}
	}
	return ""
}
