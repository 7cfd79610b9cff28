// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/budget"
	"github.com/imaboot/imaboot/pkg/internal/testing/faults"
	"github.com/imaboot/imaboot/pkg/refusal"
)

func TestGuard(t *testing.T) {
	own := errors.New("own")
	if err := Guard(func() error { return own }); err != own { //nolint:errorlint // unchanged
		t.Errorf("%v", err)
	}
	if err := Guard(func() error { return nil }); err != nil {
		t.Errorf("%v", err)
	}
	err := Guard(func() error { panic(own) })
	if !errors.Is(err, refusal.ErrInternal) || !strings.Contains(err.Error(), "guard_linux_test.go") {
		t.Errorf("%v", err)
	}
}

// TestGuardFault: a file that shrinks while it is mapped is an error.
func TestGuardFault(t *testing.T) {
	faults.Need(t)
	name := write(t, "kernel", "kernel", 0)
	f, err := Open(name, MaxKernel, budget.New(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(name, 0); err != nil {
		t.Fatal(err)
	}
	err = Guard(func() error {
		_ = bytes.Clone(f.Data)
		return nil
	})
	if !errors.Is(err, ErrFault) || refusal.Of(err) != refusal.BadFile {
		t.Errorf("%v", err)
	}
}
