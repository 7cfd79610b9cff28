// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"fmt"
	"regexp"
)

// What else than a binary list people give: each with what it begins with.
var (
	printed = regexp.MustCompile(`^ ?\d{1,2} [0-9a-f]{32,128} `)
	packed  = []struct{ magic, what string }{
		{"\x1f\x8b", "it is compressed with gzip"},
		{"\xfd7zXZ\x00", "it is compressed with xz"},
		{"\x28\xb5\x2f\xfd", "it is compressed with zstd"},
	}
)

// notBinary says what data is if it is known to be no binary list.
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

// nameless says what is wrong with a record whose template has no name, which
// no kernel writes. Copies by blocks have zeros behind the list.
func nameless(rest []byte) error {
	if allZero(rest) {
		return fmt.Errorf("%w: %d zero bytes behind the last record", ErrCorrupt, len(rest))
	}
	return fmt.Errorf("%w: the template has no name", ErrCorrupt)
}
