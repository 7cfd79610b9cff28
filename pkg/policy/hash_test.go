// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
)

func TestDefaultHash(t *testing.T) {
	for _, tt := range []struct {
		line string
		want pcr.Algorithm
	}{
		{"quiet", ""},
		{"ima_hash=sha256", "sha256"},
		{`ima-hash="sha384"`, "sha384"},
		{"ima_hash=sha1 ima_hash=sha256", "sha1"},
		{"ima_hash=none ima_hash= ima_hash ima_hash=sha512", "sha512"},
		{"ima_hash=sha2566", ""},
		{"ima_hash=SHA256", ""},
		{"ima_hash=sm3 ima_hash=sha256", "sm3"},
		{"quiet -- ima_hash=sha256", ""},
	} {
		if got := DefaultHash(tt.line); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
}
