// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRules(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []rule
		bad        string
	}{
		{"comments", "# why\n\nmeasure func=BPRM_CHECK\n\t dont_measure fsmagic=0x9fa0 \r\n", []rule{{3, "measure func=BPRM_CHECK"}, {4, "dont_measure fsmagic=0x9fa0"}}, ""},
		{"no newline at the end", "measure", []rule{{1, "measure"}}, ""},
		{"empty", "# nothing\n", nil, "it has no rule"},
		{"too long", "measure\nmeasure " + strings.Repeat("x", 4096), nil, "line 2:"},
		{"NUL", "measure\x00", nil, "it contains a NUL"},
		{"path", "/etc/ima/ima-policy", nil, "a path is not a rule"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := rules([]byte(tt.text))
			if tt.bad != "" {
				if !errors.Is(err, ErrRule) || !strings.Contains(err.Error(), tt.bad) {
					t.Errorf("error %v, want %q", err, tt.bad)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(rule{})); diff != "" || err != nil {
				t.Errorf("error %v\n%s", err, diff)
			}
		})
	}
}

// TestLoadFixed: a kernel without CONFIG_IMA_WRITE_POLICY removes the file.
func TestLoadFixed(t *testing.T) {
	root := t.TempDir()
	if _, err := Load(root, []byte("measure")); errors.Is(err, ErrFixed) || err == nil {
		t.Errorf("without IMA: %v", err)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Join(root, policyFile)), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(root, []byte("measure")); !errors.Is(err, ErrFixed) {
		t.Errorf("without the file: %v", err)
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte("# a\nmeasure func=FILE_CHECK\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := rules(b)
		if err != nil && !errors.Is(err, ErrRule) {
			t.Error(err)
		}
		for _, r := range all {
			if r.text == "" || strings.ContainsAny(r.text, "\n\x00") || len(r.text) >= maxRule {
				t.Errorf("rule %q", r.text)
			}
		}
	})
}
