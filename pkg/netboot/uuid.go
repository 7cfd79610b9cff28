// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var uuidText = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// systemUUID returns the machine's UUID in lower case as PXELINUX asks for it, or ""
// if the machine has none.
func systemUUID(root string) string {
	for _, from := range []struct{ file, key string }{
		{"sys/class/dmi/id/product_uuid", ""},
		{"proc/device-tree/vm,uuid", ""},
		// A guest of an s390x hypervisor: that of the innermost one.
		{"proc/sysinfo", "VM00 UUID:"},
	} {
		content, err := os.ReadFile(filepath.Join(root, from.file))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(content)) {
			text, found := strings.CutPrefix(line, from.key)
			text = strings.ToLower(strings.Trim(text, " \n\x00"))
			if found && uuidText.MatchString(text) {
				return text
			}
		}
	}
	return ""
}
