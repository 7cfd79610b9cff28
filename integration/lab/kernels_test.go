// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTookEffect(t *testing.T) {
	config := filepath.Join(t.TempDir(), ".config")
	if err := os.WriteFile(config, []byte("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=32\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ fragment, want string }{
		{"# why\nCONFIG_A=y\nCONFIG_C=32\n", ""},
		{"CONFIG_A=y\nCONFIG_B=y\n", "CONFIG_B=y did not take effect"},
		{"CONFIG_C=64\n", "CONFIG_C=64 did not take effect"},
	} {
		err := tookEffect(config, []byte(tt.fragment))
		if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: error %v, want %q", tt.fragment, err, tt.want)
		}
	}
}

// TestFragments: every fragment that a kernel names exists.
func TestFragments(t *testing.T) {
	for name, k := range own {
		for _, f := range k.config {
			if _, err := configs.ReadFile("kernels/" + f); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
