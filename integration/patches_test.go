// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import "testing"

// TestPatches: the project's patches for Linux apply to Debian's sources, and
// are fit to be posted. Guests show that they build and work.
func TestPatches(t *testing.T) {
	t.Parallel()
	if err := theLab.CheckSeries(t.Context()); err != nil {
		t.Error(err)
	}
}
