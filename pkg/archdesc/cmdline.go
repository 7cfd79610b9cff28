// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"github.com/imaboot/imaboot/pkg/cmdline"
)

// hasSetup reports whether a command line calls a function that the kernel
// declares by __setup without a value.
func hasSetup(line, name string) bool { return cmdline.HasSetup(line, name) }

// parseSize reads the value of a parameter as the kernel does: what is no size is 0.
func parseSize(value string) Addr {
	n, _, _ := cmdline.Size(value)
	return Addr(n)
}
