// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package refusal

import (
	"fmt"
	"runtime/debug"
)

// ErrInternal means that a function panicked.
var ErrInternal = New(InternalError, "imaboot has a fault of its own")

// Guard calls f, and turns a panic into an error that wraps ErrInternal and holds
// the stack.
func Guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = Panicked(r)
		}
	}()
	return f()
}

// Panicked returns the error for what recover returned. It is called by the
// deferred function, which still has the stack.
func Panicked(r any) error { return fmt.Errorf("%w: %v\n%s", ErrInternal, r, debug.Stack()) }
