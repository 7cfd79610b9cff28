// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import "bytes"

// hasBootconfig reports whether an initrd ends with a bootconfig. A boot loader
// may have padded it to a multiple of 4 bytes (get_boot_config_from_initrd of
// init/main.c).
func hasBootconfig(initrd []byte) bool {
	const magic = "#BOOTCONFIG\n"
	for range 4 {
		if bytes.HasSuffix(initrd, []byte(magic)) {
			return true
		}
		initrd = initrd[:max(0, len(initrd)-1)]
	}
	return false
}
