// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package budget

import (
	"golang.org/x/sys/unix"
)

// A Block is a buffer that is charged to a Memory. It belongs to one goroutine.
// Free gives it back, and nothing may use its bytes afterwards.
type Block struct {
	m    *Memory
	what string
	// most is the size in bytes that Write may not exceed.
	most   int64
	data   []byte
	mapped []byte
}

// Bytes returns a block of n zeros. The error wraps ErrTooLarge, also if the
// kernel has no memory or the process no addresses left.
func (m *Memory) Bytes(what string, n int64) (*Block, error) {
	b := &Block{m: m, what: what, most: n}
	if err := b.grow(n); err != nil {
		return nil, err
	}
	b.data = b.mapped[:n]
	return b, nil
}

// Writer returns an empty block that grows up to most bytes.
func (m *Memory) Writer(what string, most int64) *Block {
	return &Block{m: m, what: what, most: most}
}

// Bytes is the content. Write and Free invalidate it.
func (b *Block) Bytes() []byte { return b.data }

// step is by how many bytes a block grows at least, where there is room.
const step = 1 << 20

// Write appends to the block. The error wraps ErrTooLarge.
func (b *Block) Write(p []byte) (int, error) {
	at := len(b.data)
	need := int64(at + len(p))
	if need > b.most {
		return 0, TooLarge(b.what, need, b.most)
	}
	if need > int64(len(b.mapped)) {
		// Growing by a quarter keeps the number of calls small.
		if b.grow(min(need+need/4+step, b.most)) != nil {
			if err := b.grow(need); err != nil {
				return 0, err
			}
		}
	}
	b.data = b.mapped[:need]
	return copy(b.data[at:], p), nil
}

// grow moves the pages of the block and copies none: an old and a new one never
// exist together.
func (b *Block) grow(to int64) error {
	page := int64(unix.Getpagesize())
	if to > b.m.Limit() {
		return TooLarge(b.what, to, b.m.Left())
	}
	to = max((to+page-1)/page*page, page)
	more := to - int64(len(b.mapped))
	if more <= 0 {
		return nil
	}
	left := b.m.Left()
	if err := b.m.Take(b.what, more); err != nil {
		return TooLarge(b.what, to, left+int64(len(b.mapped)))
	}
	var mapped []byte
	var err error
	if b.mapped == nil {
		mapped, err = unix.Mmap(-1, 0, int(to), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	} else {
		mapped, err = unix.Mremap(b.mapped, int(to), unix.MREMAP_MAYMOVE)
	}
	if err != nil {
		b.m.Give(more)
		return TooLarge(b.what, to, 0)
	}
	b.mapped, b.data = mapped, mapped[:len(b.data)]
	return nil
}

// Trim gives back what the block has beyond its content.
func (b *Block) Trim() error {
	page := unix.Getpagesize()
	to := max((len(b.data)+page-1)/page*page, page)
	if to >= len(b.mapped) {
		return nil
	}
	mapped, err := unix.Mremap(b.mapped, to, 0)
	if err != nil {
		return err
	}
	b.m.Give(int64(len(b.mapped) - to))
	b.mapped, b.data = mapped, mapped[:len(b.data)]
	return nil
}

// Free gives the memory back.
func (b *Block) Free() error {
	if b == nil || b.mapped == nil {
		return nil
	}
	err := unix.Munmap(b.mapped)
	b.m.Give(int64(len(b.mapped)))
	b.mapped, b.data = nil, nil
	return err
}

// Try checks that the process can map n bytes more. It is asked before a library
// allocates that much on the heap, where a failure would end the process. The
// error wraps ErrTooLarge.
func (m *Memory) Try(what string, n int64) error {
	b, err := m.Bytes(what, n)
	if err != nil {
		return err
	}
	return b.Free()
}
