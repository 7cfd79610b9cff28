// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"path/filepath"
	"strings"
)

// ConfigName is where distributions put the configuration of a kernel, by the
// kernel's name: /boot/config-VERSION beside /boot/vmlinuz-VERSION, or config
// beside vmlinuz in a directory of modules.
func ConfigName(kernel string) string {
	dir, base := filepath.Split(kernel)
	_, version, ok := strings.Cut(base, "-")
	if !ok {
		return dir + "config"
	}
	return dir + "config-" + version
}
