// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import "testing"

func TestHasBootconfig(t *testing.T) {
	for initrd, want := range map[string]bool{
		"": false, "070701": false, "#BOOTCONFIG\n": true, "070701 kernel.x=1\n#BOOTCONFIG\n": true,
		"#BOOTCONFIG\n\x00\x00\x00": true, "#BOOTCONFIG\n\x00\x00\x00\x00": false, "#BOOTCONFIG": false,
	} {
		if got := hasBootconfig([]byte(initrd)); got != want {
			t.Errorf("%q: %v", initrd, got)
		}
	}
}
