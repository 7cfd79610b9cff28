// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"fmt"
	"regexp"
)

// Other files that people give instead of a binary list, and how they begin.
var (
	printed = regexp.MustCompile(`^ ?\d{1,2} [0-9a-f]{32,128} `)
	packed  = []struct{ magic, what string }{
		{"\x1f\x8b", "it is compressed with gzip"},
		{"\xfd7zXZ\x00", "it is compressed with xz"},
		{"\x28\xb5\x2f\xfd", "it is compressed with zstd"},
	}
)

// notBinary returns an error if data is recognised as something other than a
// binary list.
func notBinary(data []byte) error {
	if printed.Match(data) {
		return fmt.Errorf("%w: it is the text form (ascii_runtime_measurements), not the binary one", ErrCorrupt)
	}
	for _, p := range packed {
		if bytes.HasPrefix(data, []byte(p.magic)) {
			return fmt.Errorf("%w: %s", ErrCorrupt, p.what)
		}
	}
	if _, err := ParseBuffer(data); err == nil {
		return fmt.Errorf("%w: it is a kexec buffer: the list follows its header of %d bytes", ErrCorrupt, HeaderSize)
	}
	return nil
}

// nameless returns an error for a record whose template has no name; no kernel
// writes one. A copy in whole blocks has zeros after the list.
func nameless(rest []byte) error {
	if allZero(rest) {
		return fmt.Errorf("%w: %d zero bytes after the last record", ErrCorrupt, len(rest))
	}
	return fmt.Errorf("%w: the template has no name", ErrCorrupt)
}
