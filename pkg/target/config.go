// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"path/filepath"
	"strings"
)

// ConfigName returns the path where distributions put a kernel's configuration:
// /boot/config-VERSION for /boot/vmlinuz-VERSION, or config beside vmlinuz in a
// directory of modules.
func ConfigName(kernel string) string {
	dir, base := filepath.Split(kernel)
	_, version, ok := strings.Cut(base, "-")
	if !ok {
		return dir + "config"
	}
	return dir + "config-" + version
}
