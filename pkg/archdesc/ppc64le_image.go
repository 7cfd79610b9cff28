// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

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
