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
	s390xParmInitrdStart = 0x08
	s390xParmInitrdSize  = 0x10
	s390xParmOldmemBase  = 0x18
	s390xParmOldmemSize  = 0x20
	s390xParmCmdlineSize = 0x30 // 0 in old images
	s390xParmCmdline     = 0x80

	// The extension for kernels that restore a list: pad, and 0, in all
	// others. The first is set by the image, the others by the loader.
	s390xParmFeatures  = 0x38
	s390xParmListStart = 0x40
	s390xParmListSize  = 0x48

	// s390xParmRestoresList is the bit of s390xParmFeatures.
	s390xParmRestoresList = 1 << 0

	// LEGACY_COMMAND_LINE_SIZE, and the upper end of the range of
	// CONFIG_COMMAND_LINE_SIZE.
	s390xParmLegacyCmdline = 896
	s390xParmMaxCmdline    = 1 << 20
)

// s390xParams is the target's parameter area in the making, a copy.
type s390xParams struct{ area []byte }

// parm begins with what the image says, without the marks of a crash dump.
func (k *s390xImage) parm() *s390xParams {
	p := &s390xParams{append([]byte(nil), k.area...)}
	for _, offset := range []int{s390xParmInitrdStart, s390xParmInitrdSize, s390xParmOldmemBase, s390xParmOldmemSize} {
		p.put(offset, 0)
	}
	if k.features&s390xParmRestoresList != 0 {
		p.put(s390xParmListStart, 0)
		p.put(s390xParmListSize, 0)
	}
	return p
}

func (p *s390xParams) put(offset int, v Addr) {
	binary.BigEndian.PutUint64(p.area[offset:], uint64(v))
}

// setInitrd names the initrd, to the byte; an empty range for none.
func (p *s390xParams) setInitrd(r Range) {
	p.put(s390xParmInitrdStart, r.Start)
	p.put(s390xParmInitrdSize, r.Size())
}

// setList names the list's segment.
func (p *s390xParams) setList(r Range) {
	p.put(s390xParmListStart, r.Start)
	p.put(s390xParmListSize, r.Size())
}

// setCmdline writes the command line, which checkCmdline has seen.
func (p *s390xParams) setCmdline(s string) {
	clear(p.area[s390xParmCmdline:])
	copy(p.area[s390xParmCmdline:], s)
}

// checkCmdline: the target takes a line with one byte above 0x7f for EBCDIC
// as a whole (arch/s390/boot/ipl_parm.c, setup_boot_command_line).
func (k *s390xImage) checkCmdline(s string) error {
	if Addr(len(s)) >= k.limit {
		return fmt.Errorf("%w: %d bytes, this kernel takes %d", ErrCmdlineTooLong, len(s), k.limit-1)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r > 0x7f }); i >= 0 {
		return fmt.Errorf("%w: byte %d is %#x, and the kernel would read all of it as EBCDIC", ErrCmdlineBytes, i+1, s[i])
	}
	return nil
}
