// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"fmt"

	"github.com/imaboot/imaboot/pkg/entry"
)

// CheckText refuses what no configuration contains: control characters, which
// may be meant for a terminal, or say that the file is a program. The error
// wraps entry.ErrConfig.
func CheckText(b []byte) error {
	if len(b) > entry.MaxConfig {
		return fmt.Errorf("%w: more than %d bytes", entry.ErrConfig, entry.MaxConfig)
	}
	line := 1
	for _, c := range b {
		switch {
		case c == '\n':
			line++
		case c < ' ' && c != '\t' && c != '\r' || c == 0x7f:
			return fmt.Errorf("%w: line %d: control character %#02x: no text", entry.ErrConfig, line, c)
		}
	}
	return nil
}
