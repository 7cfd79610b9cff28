// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"runtime/debug"
	"sync"
)

// A group runs functions at the same time. A panic of one of them, such as the
// fault of a mapped list, comes out of Wait, where the caller can recover it.
type group struct {
	wg    sync.WaitGroup
	mu    sync.Mutex
	fault any
}

// Go runs f.
func (g *group) Go(f func()) {
	g.wg.Go(func() {
		debug.SetPanicOnFault(true)
		defer func() {
			if r := recover(); r != nil {
				g.mu.Lock()
				g.fault = r
				g.mu.Unlock()
			}
		}()
		f()
	})
}

// Wait waits for all functions.
func (g *group) Wait() {
	g.wg.Wait()
	if g.fault != nil {
		panic(g.fault)
	}
}
