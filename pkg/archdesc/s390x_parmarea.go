// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Offsets in struct parmarea of arch/s390/include/asm/setup.h. All numbers are
// big-endian and have 8 bytes.
const (
	parmInitrdStart = 0x08
	parmInitrdSize  = 0x10
	parmOldmemBase  = 0x18
	parmOldmemSize  = 0x20
	parmCmdlineSize = 0x30 // 0 in old images
	parmCmdline     = 0x80

	// The extension for kernels that restore a list: pad, and 0, in all
	// others. The first is set by the image, the others by the loader.
	parmFeatures  = 0x38
	parmListStart = 0x40
	parmListSize  = 0x48

	// parmRestoresList is the bit of parmFeatures.
	parmRestoresList = 1 << 0

	// LEGACY_COMMAND_LINE_SIZE, and the upper end of the range of
	// CONFIG_COMMAND_LINE_SIZE.
	parmLegacyCmdline = 896
	parmMaxCmdline    = 1 << 20
)

// s390Parmarea is the target's parameter area in the making, a copy.
type s390Parmarea struct{ area []byte }

// parm begins with what the image says, without the marks of a crash dump.
func (k *s390Kernel) parm() *s390Parmarea {
	p := &s390Parmarea{append([]byte(nil), k.area...)}
	for _, offset := range []int{parmInitrdStart, parmInitrdSize, parmOldmemBase, parmOldmemSize} {
		p.put(offset, 0)
	}
	if k.features&parmRestoresList != 0 {
		p.put(parmListStart, 0)
		p.put(parmListSize, 0)
	}
	return p
}

func (p *s390Parmarea) put(offset int, v Addr) {
	binary.BigEndian.PutUint64(p.area[offset:], uint64(v))
}

// setInitrd names the initrd, to the byte; an empty range for none.
func (p *s390Parmarea) setInitrd(r Range) {
	p.put(parmInitrdStart, r.Start)
	p.put(parmInitrdSize, r.Size())
}

// setList names the list's segment.
func (p *s390Parmarea) setList(r Range) {
	p.put(parmListStart, r.Start)
	p.put(parmListSize, r.Size())
}

// setCmdline writes the command line, which checkCmdline has seen.
func (p *s390Parmarea) setCmdline(s string) {
	clear(p.area[parmCmdline:])
	copy(p.area[parmCmdline:], s)
}

// checkCmdline: the target takes a line with one byte above 0x7f for EBCDIC
// as a whole (arch/s390/boot/ipl_parm.c, setup_boot_command_line).
func (k *s390Kernel) checkCmdline(s string) error {
	if Addr(len(s)) >= k.limit {
		return fmt.Errorf("%w: %d bytes, this kernel takes %d", ErrCmdlineTooLong, len(s), k.limit-1)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r > 0x7f }); i >= 0 {
		return fmt.Errorf("%w: byte %d is %#x, and the kernel would read all of it as EBCDIC", ErrCmdlineBytes, i+1, s[i])
	}
	return nil
}
