// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import "testing"

// TestPatches: the project's patches of Linux apply to what Debian has, and
// are fit to post. That they build and work is seen in guests.
func TestPatches(t *testing.T) {
	t.Parallel()
	if err := theLab.CheckSeries(t.Context()); err != nil {
		t.Error(err)
	}
}
