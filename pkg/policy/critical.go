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

// kexecLabel is what IMA calls its own events of a kexec.
const kexecLabel = "ima_kexec"

// A KexecRule is a rule that measures them. What else it says changes the
// record.
type KexecRule struct {
	Text string
	// Plain: the record is of template ima-buf and goes to PCR 10.
	Plain bool
}

// MeasuresKexec tells whether the running kernel measures the jump itself:
// whether it has a rule for it, and the code (CONFIG_IMA_KEXEC, since Linux
// 6.16). nil means that it does not.
//
// The rules are known if loaded is the policy that is in force, if it can be
// read (CONFIG_IMA_READ_POLICY), or if the command line chose them and nobody
// has loaded others since.
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
	text, err := os.ReadFile(filepath.Join(root, policyFile))
	switch {
	case err == nil && len(text) > 0:
		return kexecRule(string(text)), nil
	case loaded != "":
		return kexecRule(loaded), nil
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("IMA policy: %w", err)
	}
	line, err := os.ReadFile(filepath.Join(root, "proc/cmdline"))
	if err != nil {
		return nil, err
	}
	return builtIn(string(line)), nil
}

// builtIn is the rule that ima_policy=critical_data chooses. Names of policies
// are divided as policy_setup of security/integrity/ima/ima_policy.c does.
func builtIn(line string) *KexecRule {
	for names := range cmdline.Setup(line, "ima_policy=") {
		if slices.Contains(strings.FieldsFunc(names, func(r rune) bool { return strings.ContainsRune(" |\n", r) }), "critical_data") {
			return &KexecRule{"ima_policy=" + names, true}
		}
	}
	return nil
}

// kexecRule is the first rule that decides on kexec's events.
func kexecRule(text string) *KexecRule {
	perhaps := false // a rule before may decide as well
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || (words[0] != "measure" && words[0] != "dont_measure") || !slices.Contains(words, "func=CRITICAL_DATA") {
			continue
		}
		rule := &KexecRule{strings.TrimSpace(line), true}
		applies := true
		for _, w := range words[1:] {
			key, value, _ := strings.Cut(w, "=")
			switch key {
			case "label":
				applies = slices.Contains(strings.Split(strings.Trim(value, `"`), "|"), kexecLabel)
			case "func":
			default:
				rule.Plain = false
			}
		}
		switch {
		case !applies:
		case words[0] == "measure":
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
