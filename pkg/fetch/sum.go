// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// A Sum is what is known about a file before it is downloaded.
type Sum struct {
	// Size is in bytes, 0 if unknown.
	Size int64
	// SHA256 is empty if unknown.
	SHA256 []byte
}

// ParseSum parses a digest as users write it: "sha256:" and 64 hexadecimal
// digits.
func ParseSum(s string) (Sum, error) {
	name, digits, _ := strings.Cut(s, ":")
	if name != "sha256" {
		return Sum{}, fmt.Errorf("checksum %q: sha256: must stand in front", s)
	}
	digest, err := hex.DecodeString(digits)
	if err != nil || len(digest) != sha256.Size {
		return Sum{}, fmt.Errorf("checksum %q: must have %d hexadecimal digits", s, 2*sha256.Size)
	}
	return Sum{SHA256: digest}, nil
}
