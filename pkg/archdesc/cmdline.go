// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"math"

	"github.com/imaboot/imaboot/pkg/cmdline"
)

// hasSetup reports whether a command line calls a function that the kernel
// declares by __setup without a value.
func hasSetup(line, name string) bool { return cmdline.HasSetup(line, name) }

// memoryLimit is the end of the memory that a kernel with this command line
// uses: a list beyond mem= would be lost. Kernels round it down to granule
// bytes, a power of two.
func memoryLimit(line string, granule Addr) Addr {
	size, _, ok := cmdline.Size(cmdline.Value(line, "mem"))
	limit := Addr(size) &^ (granule - 1)
	if !ok || limit == 0 {
		return math.MaxUint64
	}
	return limit
}
