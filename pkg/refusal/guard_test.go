// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package refusal

import (
	"errors"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	own := errors.New("own")
	if err := Guard(func() error { return own }); err != own { //nolint:errorlint // unchanged
		t.Errorf("%v", err)
	}
	err := Guard(func() error { panic(own) })
	if Of(err) != InternalError || !errors.Is(err, ErrInternal) || !strings.Contains(err.Error(), "own\n") || !strings.Contains(err.Error(), "guard_test.go") {
		t.Errorf("%v", err)
	}
}
