// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// parsePPC64LEImage reads an ELF vmlinux. Nothing of it is copied.
func parsePPC64LEImage(image []byte) (*elfKernel, error) {
	k, err := parseELF(image, elf.EM_PPC64, binary.LittleEndian)
	if err != nil {
		return nil, err
	}
	for _, l := range k.loads {
		if l.offset%ppc64leAlign != 0 {
			return nil, fmt.Errorf("%w: segment at offset %v is not aligned to 64 KiB", ErrNotKernel, l.offset)
		}
	}
	if len(k.loads[0].data) < ppc64leHeadSize {
		return nil, fmt.Errorf("%w: no room for the first instructions", ErrNotKernel)
	}
	return k, nil
}

// ppc64leSegments returns the kernel's segments for a kernel that starts at an
// address.
func ppc64leSegments(k *elfKernel, start Addr) []Segment {
	var out []Segment
	for _, load := range k.loads {
		r := rangeOf(start+load.offset, load.size)
		r.End, _ = alignUp(r.End, ppc64leAlign)
		out = append(out, Segment{kernelPart(len(out)), r, load.data})
	}
	return out
}
