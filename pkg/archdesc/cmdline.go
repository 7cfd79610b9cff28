// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import "github.com/imaboot/imaboot/pkg/cmdline"

// hasSetup reports whether a command line calls a function that the kernel
// declares by __setup without a value.
func hasSetup(line, name string) bool { return cmdline.HasSetup(line, name) }

// sizeParam returns the size, in bytes, that a parameter's last value begins
// with.
func sizeParam(line, name string) (Addr, bool) {
	size, _, ok := cmdline.Size(cmdline.Value(line, name))
	return Addr(size), ok
}
