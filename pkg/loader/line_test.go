// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLines(t *testing.T) {
	text := "# a \\\nb\r\n\n  c \\\n # d \\\n e\n\\\n\\\nf\\"
	want := []Line{{"x:2", "b"}, {"x:4", "c # d e"}, {"x:7", "f"}}
	if diff := cmp.Diff(want, Lines("x", text, true)); diff != "" {
		t.Error(diff)
	}
}
