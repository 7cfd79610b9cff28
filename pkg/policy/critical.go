// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// kexecLabel is the label of the events that IMA makes of a kexec.
const kexecLabel = "ima_kexec"

// A KexecRule is a rule by which IMA measures a kexec.
type KexecRule struct {
	Text string
	// Plain means that the record has the template ima-buf and is extended
	// into PCR 10. Conditions of a rule may change that.
	Plain bool
}

// MeasuresKexec returns the rule by which the running kernel measures the jump
// itself, and nil if it has no such rule, or lacks the code (CONFIG_IMA_KEXEC,
// since Linux 6.16).
//
// The rules are known if the kernel shows its policy (CONFIG_IMA_READ_POLICY),
// if loaded is the policy in force, or if the command line chose it and nobody
// has loaded another one since.
func MeasuresKexec(root, loaded string) (*KexecRule, error) {
	rule, err := findRule(root, loaded)
	if rule == nil || err != nil {
		return nil, err
	}
	symbols, err := os.ReadFile(filepath.Join(root, "proc/kallsyms"))
	if err == nil && !strings.Contains(string(symbols), " ima_measure_kexec_event\n") {
		return nil, nil
	}
	return rule, nil // without symbols the rule decides
}

func findRule(root, loaded string) (*KexecRule, error) {
	f, err := inForce(root, loaded)
	if err != nil {
		return nil, err
	}
	if word := chosen(f.cmdline, "critical_data"); word != "" {
		return &KexecRule{word, true}, nil
	}
	return kexecRule(f.rules), nil
}

// kexecRule returns the first rule that decides on kexec's events.
func kexecRule(text string) *KexecRule {
	perhaps := false // a rule before may decide as well
	for line := range strings.Lines(text) {
		l := parseLine(line)
		if (l.action != "measure" && l.action != "dont_measure") || l.hook() != "CRITICAL_DATA" {
			continue
		}
		rule := &KexecRule{strings.TrimSpace(line), true}
		applies := true
		for _, c := range l.conditions {
			switch c.key {
			case "label":
				applies = slices.Contains(strings.Split(strings.Trim(c.value, `"`), "|"), kexecLabel)
			case "func":
			default:
				rule.Plain = false
			}
		}
		switch {
		case !applies:
		case l.action == "measure":
			rule.Plain = rule.Plain && !perhaps
			return rule
		case rule.Plain:
			return nil
		default:
			perhaps = true
		}
	}
	return nil
}
