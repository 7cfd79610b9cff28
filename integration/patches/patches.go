// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package patches holds the project's patches of Linux. They are GPL-2.0-only,
// as the kernel is; see README.md.
package patches

import "embed"

// Files are the series, one directory a kernel, named as in linux-7.2.
//
//go:embed */*.patch
var Files embed.FS
