// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/imaboot/imaboot/pkg/cmdline"
)

// MeasuresOpens reports whether IMA may measure a regular file because it is
// opened for reading, and why. Such a rule may have conditions that the file
// does not meet: they are not looked at. A policy that cannot be known counts as
// one that measures.
//
// The kernel's file systems are under root ("/"), with securityfs mounted. loaded
// is the policy that the caller has loaded, "" if none.
func MeasuresOpens(root, loaded string) (measures bool, why string, err error) {
	if _, err := os.Stat(filepath.Dir(filepath.Join(root, policyFile))); err != nil {
		// The directory of securityfs is sysfs's, and is there always.
		mounted, _ := os.ReadDir(filepath.Join(root, "sys/kernel/security"))
		if len(mounted) == 0 {
			return true, "the policy is not known: securityfs is not mounted", nil
		}
		return false, "the kernel has no IMA", nil
	}
	f, err := inForce(root, loaded)
	if err != nil {
		return false, "", err
	}
	if rule := openRule(f.rules); rule != "" {
		return true, fmt.Sprintf("the policy has the rule %q", rule), nil
	}
	if word := chosenOpens(f.cmdline); word != "" {
		return true, "the command line has " + word, nil
	}
	if f.unknown != "" {
		return true, "the policy is not known: " + f.unknown, nil
	}
	return false, "no rule measures files that are opened", nil
}

// openRule returns the first rule that measures files that are opened.
func openRule(text string) string {
	for rule := range strings.Lines(text) {
		l := parseLine(rule)
		switch l.hook() {
		case "", "FILE_CHECK", "PATH_CHECK": // the last one is an older name
		default:
			continue
		}
		switch {
		case l.action == "measure":
			return strings.TrimSpace(rule)
		case l.action == "dont_measure" && (len(l.conditions) == 0 || len(l.conditions) == 1 && l.hook() != ""):
			return "" // it applies to every file, and the first rule that applies decides
		}
	}
	return ""
}

// chosenOpens returns the word of a command line that chooses the kernel's own
// rules for files that root opens. The other policies that it can choose
// measure none.
func chosenOpens(line string) string {
	if cmdline.HasSetup(line, "ima_tcb") {
		return "ima_tcb"
	}
	return chosen(line, "tcb")
}
