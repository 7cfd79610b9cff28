// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package budget bounds the memory that files from disks and networks take. A
// size that a file names is compared with what is left of the machine's memory
// before anything of that size is allocated or searched.
//
// Large buffers are mapped, not allocated on Go's heap: the runtime ends the
// process if the heap cannot grow, but a mapping that fails is an error.
package budget

import (
	"fmt"
	"sync"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrTooLarge means that a file, or what it unpacks to, needs more memory than
// is left for it. The error names the file, its size and what is left.
var ErrTooLarge = refusal.New(refusal.TooLarge, "too large")

// A Memory is what all files of a search and of a job may take together.
// Several goroutines may use it at once.
type Memory struct {
	limit int64

	mu   sync.Mutex
	used int64
}

// New returns a budget of that many bytes.
func New(bytes int64) *Memory { return &Memory{limit: max(bytes, 0)} }

// Limit is the size of the whole budget in bytes.
func (m *Memory) Limit() int64 { return m.limit }

// Left is what is left of it in bytes.
func (m *Memory) Left() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.limit - m.used
}

// Take reserves n bytes for what a text names. The error wraps ErrTooLarge.
func (m *Memory) Take(what string, n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n < 0 || n > m.limit-m.used {
		return TooLarge(what, n, m.limit-m.used)
	}
	m.used += n
	return nil
}

// Give returns n bytes that were taken.
func (m *Memory) Give(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used = max(m.used-n, 0)
}

// TooLarge is the error for what needs n bytes and may have most.
func TooLarge(what string, n, most int64) error {
	return fmt.Errorf("%w: %s: %s (%d bytes), and at most %s (%d bytes) are left for it",
		ErrTooLarge, what, human.Size(n), n, human.Size(most), most)
}
