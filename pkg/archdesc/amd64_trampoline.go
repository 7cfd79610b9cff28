// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	_ "embed"
	"encoding/binary"
)

// amd64Code is what asm/amd64.S assembles to.
//
//go:embed asm/amd64.bin
var amd64Code []byte

// amd64Trampoline returns the code to which the running kernel jumps: ours,
// with its two literals at the end. It needs a page of its own, of which it
// uses the end as a stack.
func amd64Trampoline(params, entry Addr) []byte {
	code := append([]byte(nil), amd64Code...)
	binary.LittleEndian.PutUint64(code[len(code)-16:], uint64(params))
	binary.LittleEndian.PutUint64(code[len(code)-8:], uint64(entry))
	return code
}
