// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"strings"

	"github.com/imaboot/imaboot/pkg/cmdline"
)

// hasSetup reports whether a command line calls a function that the kernel
// declares by __setup without a value.
func hasSetup(line, name string) bool { return cmdline.HasSetup(line, name) }

// sizeParam returns the size, in bytes, that a parameter's last value begins
// with.
func sizeParam(line, name string) (Addr, bool) {
	size, _, ok := cmdline.Size(cmdline.Value(line, name))
	return Addr(size), ok
}

// crashKernelParam returns how much memory crashkernel= asks for, in bytes, and
// at which address, 0 if the kernel is free to choose. Of several sizes the
// largest is assumed. The kernel searches the whole text for the parameter, also
// what follows "--" (get_last_crashkernel of kernel/crash_reserve.c).
func crashKernelParam(line string) (size, base Addr) {
	value := ""
	for w := range cmdline.Words(line) {
		if w.Is("crashkernel") {
			value = w.Value
		}
	}
	sizes, offset, _ := strings.Cut(value, "@")
	for s := range strings.SplitSeq(sizes, ",") {
		if _, after, ok := strings.Cut(s, ":"); ok {
			s = after
		}
		if n, _, ok := cmdline.Size(s); ok {
			size = max(size, Addr(n))
		}
	}
	n, _, _ := cmdline.Size(offset)
	return size, Addr(n)
}
