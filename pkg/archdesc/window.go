// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// narrowZstd changes the window descriptor of a frame (RFC 8878, section
// 3.1.1.1.2). A frame of a single segment has none.
func narrowZstd(b []byte, window int) []byte {
	const flags, single, descriptor, size = 4, 1 << 5, 5, 6
	if len(b) < size || b[flags]&single != 0 {
		return nil
	}
	head := bytes.Clone(b[:size])
	for d := range head[descriptor] {
		base := uint64(1) << (10 + d>>3)
		if base+base/8*uint64(d&7) >= uint64(window) { //nolint:gosec // a size
			head[descriptor] = d
			break
		}
	}
	return head
}

// narrowXZ changes the dictionary size of LZMA2 in the header of the first block
// (The .xz File Format 1.2.1, sections 3.1 and 5.3.1). Only headers without sizes
// and with filters of short properties are changed, which are all that kernels
// have.
func narrowXZ(b []byte, window int) []byte {
	const stream, sizes, filters, lzma2, sum = 12, 0xc0, 3, 0x21, 4
	if len(b) < stream+2 {
		return nil
	}
	end := stream + (int(b[stream])+1)*4
	if b[stream] == 0 || end > len(b) || b[stream+1]&sizes != 0 {
		return nil
	}
	head := bytes.Clone(b[:end])
	block := head[stream : end-sum]
	at := 2
	for range int(block[1]&filters) + 1 {
		if at+2 >= len(block) {
			return nil
		}
		id, props := block[at], block[at+2:]
		if id == lzma2 {
			for d := range props[0] {
				if uint64(2|d&1)<<(d/2+11) >= uint64(window) { //nolint:gosec // a size
					props[0] = d
					break
				}
			}
		}
		at += 2 + int(block[at+1])
	}
	binary.LittleEndian.PutUint32(head[end-sum:], crc32.ChecksumIEEE(block))
	return head
}

// narrowLZMA changes the dictionary size of a header.
func narrowLZMA(b []byte, window int) []byte {
	const dictionary, size = 1, 13
	if len(b) < size {
		return nil
	}
	head := bytes.Clone(b[:size])
	if d := head[dictionary:]; uint64(binary.LittleEndian.Uint32(d)) > uint64(window) { //nolint:gosec // a size
		binary.LittleEndian.PutUint32(d, uint32(window)) //nolint:gosec // less than before
	}
	return head
}
