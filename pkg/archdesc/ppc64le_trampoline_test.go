// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import "testing"

func TestPPC64LETrampolineSource(t *testing.T) {
	checkAssembled(t, "ppc64le", "powerpc64le-linux-gnu-", ppc64leCode)
}
