// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
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

	// The extension for kernels that restore a list. In all other images
	// these bytes are padding and zero. The image sets the first field, and
	// the loader sets the others.
	s390xParmFeatures  = 0x38
	s390xParmListStart = 0x40
	s390xParmListSize  = 0x48

	// s390xParmRestoresList is the bit of s390xParmFeatures that marks a
	// kernel which restores a list.
	s390xParmRestoresList = 1 << 0

	// s390xParmLegacyCmdline is LEGACY_COMMAND_LINE_SIZE, and
	// s390xParmMaxCmdline the largest CONFIG_COMMAND_LINE_SIZE, in bytes.
	s390xParmLegacyCmdline = 896
	s390xParmMaxCmdline    = 1 << 20
)

const s390xNoMark = "the image's parameter area has no mark that it restores a list"

// s390xParams is the target's parameter area while it is being built, a copy
// of the image's. It implements bootParams.
type s390xParams struct{ area []byte }

// newS390XParams copies the image's parameter area, clears the loader's fields
// and those of a crash dump, and writes the command line.
func newS390XParams(k *s390xImage, cmdline string) *s390xParams {
	p := &s390xParams{append([]byte(nil), k.area...)}
	for _, offset := range []int{s390xParmInitrdStart, s390xParmInitrdSize, s390xParmOldmemBase, s390xParmOldmemSize} {
		p.put(offset, 0)
	}
	if k.restoresList() {
		p.put(s390xParmListStart, 0)
		p.put(s390xParmListSize, 0)
	}
	clear(p.area[s390xParmCmdline:])
	copy(p.area[s390xParmCmdline:], cmdline)
	return p
}

func (p *s390xParams) put(offset int, v Addr) {
	binary.BigEndian.PutUint64(p.area[offset:], uint64(v))
}

// setInitrd implements bootParams.
func (p *s390xParams) setInitrd(r Range) string {
	p.put(s390xParmInitrdStart, r.Start)
	p.put(s390xParmInitrdSize, r.Size())
	return fmt.Sprintf("parameter area %#x", s390xParm+s390xParmInitrdStart)
}

// setList implements bootParams. Only images with the mark have the fields.
func (p *s390xParams) setList(r Range) string {
	p.put(s390xParmListStart, r.Start)
	p.put(s390xParmListSize, r.Size())
	return fmt.Sprintf("parameter area %#x", s390xParm+s390xParmListStart)
}

func (k *s390xImage) restoresList() bool { return k.features&s390xParmRestoresList != 0 }

// checkParams refuses what the parameter area cannot express.
//
// A kernel that finds one byte above 0x7f in the command line takes all of the
// line for EBCDIC (arch/s390/boot/ipl_parm.c, setup_boot_command_line).
func (k *s390xImage) checkParams(t *Target, l *List) error {
	if i := strings.IndexFunc(t.Cmdline, func(r rune) bool { return r > 0x7f }); i >= 0 {
		return fmt.Errorf("%w: byte %d is %#x, and the kernel would read all of it as EBCDIC", ErrCmdlineBytes, i+1, t.Cmdline[i])
	}
	if t.Tree != nil {
		return fmt.Errorf("%w: s390x kernels take none", ErrBadTree)
	}
	if l != nil && l.Buffer != nil && !k.restoresList() {
		return fmt.Errorf("%w: %s", ErrNotRestored, s390xNoMark)
	}
	return nil
}

// s390xLowcore returns a segment for the first page. Its pointer to the IPL
// report leads to zeros: a machine that was started with a report still says
// so after a kexec, long after the report's memory was used again, and
// kexec_load(2) leaves the old pointer in place (arch/s390/boot/ipl_report.c).
// The code at the entry leaves address 0x200 zero.
func s390xLowcore() Segment {
	const (
		iplParmblock = 0x14 // ipl_parmblock_ptr of struct lowcore
		zeroed       = 0x200
	)
	page := make([]byte, s390xPage)
	binary.BigEndian.PutUint32(page[iplParmblock:], zeroed)
	return Segment{"lowcore", Range{0, s390xPage}, page}
}

// s390xIPLReport reads IPL_PL_FLAG_IPLSR from struct ipl_pl_hdr, the block that
// tells how the machine was started (arch/s390/include/uapi/asm/ipl.h).
func s390xIPLReport(root string) bool {
	const flags, iplsr = 4, 0x20
	b, err := os.ReadFile(filepath.Join(root, "sys/firmware/ipl/binary_parameter"))
	return err == nil && len(b) > flags && b[flags]&iplsr != 0
}
