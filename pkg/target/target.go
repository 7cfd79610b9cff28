// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package target opens the files of the target: the kernel, the initrds and
// what else is booted. All that it maps, copies or unpacks is charged to a budget
// of memory before it is touched; what exceeds that is refused with
// budget.ErrTooLarge.
package target

import "github.com/imaboot/imaboot/pkg/refusal"

// ErrFile is wrapped by every error about a file of the target, except
// budget.ErrTooLarge.
var ErrFile = refusal.New(refusal.BadFile, "unusable file")

// Bounds that no machine's memory raises, in bytes.
const (
	// MaxKernel is for a kernel, packed and unpacked. The largest have some
	// 100 MB.
	MaxKernel = 1 << 30
	// MaxTree is for a device tree, as in Linux for arm64 (MAX_FDT_SIZE). The
	// largest have some 100 kB. A tree takes many times that on the heap.
	MaxTree = 2 << 20
	// MaxConfig is for the kernel's configuration.
	MaxConfig = 4 << 20
)
