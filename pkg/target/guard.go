// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"fmt"
	"runtime/debug"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrFault means that the pages of a mapped file could not be read.
var ErrFault = refusal.New(refusal.BadFile, "a file changed or could not be read while it was in use")

// Guard calls f, which reads mapped files, and turns every panic into an error. A
// file that shrinks, or a disk that fails, shows as a fault at an address and not
// as an error of a read: that error wraps ErrFault. Any other panic wraps
// refusal.ErrInternal. Goroutines that f starts are not guarded.
func Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if fault, ok := r.(interface{ Addr() uintptr }); ok {
			err = fmt.Errorf("%w: fault at %#x", ErrFault, fault.Addr())
		} else if r != nil {
			err = refusal.Panicked(r)
		}
	}()
	return f()
}
