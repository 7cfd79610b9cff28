// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	_ "embed"
	"encoding/binary"
)

// ppc64leCode is what asm/ppc64le.S assembles to.
//
//go:embed asm/ppc64le.bin
var ppc64leCode []byte

const (
	// ppc64leHeadSize is the size in bytes of the code at the entry that the
	// running kernel copies to physical address 0, where its other CPUs wait
	// for the next kernel (arch/powerpc/kernel/misc_64.S, kexec_sequence).
	ppc64leHeadSize = 0x100

	// ppc64leTrampolineSize is the size of the segment in bytes.
	ppc64leTrampolineSize = ppc64leAlign
)

// ppc64leTrampoline returns the code to which the running kernel jumps. The first
// instruction is ours, the rest of the first 256 bytes is the next kernel's.
// Our code follows, with its four literals at the end.
func ppc64leTrampoline(kernel []byte, fdt, entry Addr, opal ppc64leOPAL) []byte {
	code := append([]byte(nil), ppc64leCode...)
	copy(code[4:ppc64leHeadSize], kernel[4:ppc64leHeadSize])
	for i, v := range [4]Addr{fdt, entry, opal.base, opal.entry} {
		binary.LittleEndian.PutUint64(code[len(code)-32+8*i:], uint64(v))
	}
	return code
}
