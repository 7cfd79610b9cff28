// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package grubenv reads GRUB's environment block, in which GRUB's
// configurations and entries of the Boot Loader Specification keep variables.
package grubenv

import (
	"fmt"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// Signature is the beginning of a block.
const Signature = "# GRUB Environment Block\n"

// A Variable is one line NAME=VALUE of a block.
type Variable struct{ Name, Text string }

// Parse reads a block (grub.info, "Environment block"): lines NAME=VALUE,
// padded with number signs. In a value a backslash precedes a backslash and a
// newline. GRUB writes blocks of 1024 bytes, but reads any size. Errors wrap
// entry.ErrConfig. ParseEnvFile of u-root fails on an empty value, knows no
// backslashes, and imports its own loader.
func Parse(block []byte) ([]Variable, error) {
	rest, ok := strings.CutPrefix(string(block), Signature)
	if !ok {
		return nil, fmt.Errorf("%w: no environment block", entry.ErrConfig)
	}
	var out []Variable
	for rest != "" {
		isComment := rest[0] == '#'
		name := ""
		if !isComment {
			// GRUB looks for the equals sign beyond the end of the line.
			if name, rest, ok = strings.Cut(rest, "="); !ok {
				break
			}
		}
		var text string
		if text, rest, ok = cutLine(rest); !ok {
			break
		}
		if !isComment {
			out = append(out, Variable{name, text})
		}
	}
	return out, nil
}

// cutLine splits off the text up to the end of the line, and removes its
// backslashes. ok is false if the line has no end.
func cutLine(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\n' {
			return b.String(), s[i+1:], true
		}
		if s[i] == '\\' {
			if i++; i == len(s) {
				break
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
