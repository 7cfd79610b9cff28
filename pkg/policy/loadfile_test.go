// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestLoadFile: a policy is loaded once, and a kernel without IMA is told apart
// from one that refuses a policy.
func TestLoadFile(t *testing.T) {
	const text, other = "# why\nmeasure func=FILE_CHECK\n", "measure func=BPRM_CHECK\n"
	root := fileroot.New(t, map[string]string{
		"mine": text, "other": other, policyFile: "",
		filepath.Join(filepath.Dir(policyFile), "runtime_measurements_count"): "1\n",
	})
	load := func(name string, rules int, want refusal.Name) {
		t.Helper()
		got, n, err := LoadFile(root, filepath.Join(root, name))
		if refusal.Of(err) != want || n != rules || (err == nil) != (got == text) {
			t.Errorf("%s: %q, %d rules, %v; want %d rules, %q", name, got, n, err, rules, want)
		}
	}
	load("mine", 1, "")
	// The kernel takes no second policy, and removes the file.
	if err := os.Remove(filepath.Join(root, policyFile)); err != nil {
		t.Fatal(err)
	}
	load("mine", 0, "")
	load("other", 0, refusal.PolicyFixed)
	load("none", 0, refusal.BadFile)
	root = fileroot.New(t, map[string]string{"mine": text, "sys/kernel/security/lockdown": "[none]"})
	load("mine", 0, refusal.NoIMA)
	root = fileroot.New(t, map[string]string{"mine": text})
	load("mine", 0, refusal.NoSecurityfs)
}
