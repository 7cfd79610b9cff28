// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/target"
	"github.com/imaboot/imaboot/pkg/trusted"
)

// loadedFile is the policy that imaboot has loaded, under the root.
const loadedFile = "run/imaboot/policy"

// LoadFile gives the policy in a file to the kernel, as Load does, and returns
// its text and how many rules it has. A policy that an earlier run of imaboot
// has loaded, byte for byte, is not loaded again: then rules is 0.
func LoadFile(root, name string) (text string, rules int, err error) {
	// A kernel without IMA is told apart from a policy that is refused.
	if _, err := handover.LiveCount(root); err != nil {
		return "", 0, err
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return "", 0, fmt.Errorf("%w: %w", target.ErrFile, err)
	}
	kept := filepath.Join(root, loadedFile)
	rules, err = Load(root, b)
	if errors.Is(err, ErrFixed) {
		before, readErr := trusted.ReadFile(kept, int64(len(b)))
		if readErr == nil && bytes.Equal(before, b) {
			return string(b), 0, nil
		}
	}
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w", name, err)
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		return "", 0, err
	}
	return string(b), rules, os.WriteFile(kept, b, 0o600)
}
