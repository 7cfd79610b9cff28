// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"fmt"
	"path"
	"strconv"

	"github.com/u-root/u-root/pkg/cpio"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrNotInitramfs means that the list's archive cannot stand in front of an
// initrd.
var ErrNotInitramfs = refusal.New(refusal.NotInitramfs, "initrd cannot have the list in front of it")

// compressions are what begins a member of an initramfs that is not an
// archive itself (lib/decompress.c).
var compressions = [][]byte{
	{0x1f, 0x8b}, {0x1f, 0x9e}, // gzip
	[]byte("BZh"), {0x5d, 0x00}, {0xfd, '7'}, // bzip2, lzma, xz
	{0x89, 'L'}, {0x02, '!'}, {0x28, 0xb5}, // lzo, lz4, zstd
}

// CheckInitrd tells whether the target would unpack an archive that stands in
// front of an initrd, and find it there afterwards (init/initramfs.c,
// unpack_to_rootfs). What is no initramfs is given to the target's root file
// system as one file, which the archive in front would spoil; and a list in
// the initrd's own /imaboot would replace the archive's. Only what is not
// compressed is searched for that: the receiver finds the others by their
// digest.
func CheckInitrd(initrd []byte) error {
	for at := 0; ; {
		for at < len(initrd) && initrd[at] == 0 {
			at++
		}
		rest := initrd[at:]
		if len(rest) == 0 {
			return nil
		}
		if rest[0] != '0' {
			for _, magic := range compressions {
				if bytes.HasPrefix(rest, magic) {
					return nil
				}
			}
			return fmt.Errorf("%w: at offset %#x it begins with % x, which is no archive and no compression that kernels know", ErrNotInitramfs, at, rest[:min(6, len(rest))])
		}
		e, err := parseEntry(rest)
		if err != nil {
			return fmt.Errorf("%w: at offset %#x: %w", ErrNotInitramfs, at, err)
		}
		if err := e.inTheWay(); err != nil {
			return fmt.Errorf("%w: at offset %#x it holds %w", ErrNotInitramfs, at, err)
		}
		at += e.size
	}
}

// An entry is one of a newc archive: its size is that in the archive, with
// name, content and padding.
type entry struct {
	name      string
	mode, uid uint64
	size      int
}

// inTheWay tells whether an entry would replace what the archive in front
// holds, or would keep the receiver from trusting it.
func (e entry) inTheWay() error {
	const dir = "/" + CarriedDir
	switch name := path.Clean("/" + e.name); name {
	case dir + "/" + listFile, dir + "/" + noteFile:
		return fmt.Errorf("a %s of its own, which would replace the list's", name)
	case dir:
		if e.mode&cpio.S_IFMT != cpio.S_IFDIR || e.mode&0o022 != 0 || e.uid != 0 {
			return fmt.Errorf("a %s of its own that is no directory of root's alone", name)
		}
	}
	return nil
}

// Offsets in the header of a newc entry. All numbers are 8 hexadecimal
// digits. u-root's pkg/cpio allocates what a header claims to hold.
const (
	newcSize     = 110
	newcMode     = 14
	newcUID      = 22
	newcFileSize = 54
	newcNameSize = 94
	maxNewcName  = 4096 // PATH_MAX, as the kernel has it
)

func parseEntry(b []byte) (entry, error) {
	if len(b) < newcSize {
		return entry{}, fmt.Errorf("archive is cut short: %d bytes of a header", len(b))
	}
	if magic := string(b[:6]); magic != "070701" && magic != "070702" {
		return entry{}, fmt.Errorf("archive entry begins with %q", magic)
	}
	var numbers [4]uint64
	for i, at := range []int{newcFileSize, newcNameSize, newcMode, newcUID} {
		n, err := strconv.ParseUint(string(b[at:at+8]), 16, 32)
		if err != nil {
			return entry{}, fmt.Errorf("archive header: %w", err)
		}
		numbers[i] = n
	}
	file, name := numbers[0], numbers[1]
	if name == 0 || name > maxNewcName {
		return entry{}, fmt.Errorf("archive entry has a name of %d bytes", name)
	}
	pad := func(n uint64) uint64 { return (n + 3) &^ 3 }
	content := pad(newcSize + name)
	if content+file > uint64(len(b)) {
		return entry{}, fmt.Errorf("archive is cut short: an entry of %d bytes, but %d are left", content+file, len(b))
	}
	// The padding of the last may be missing.
	size := min(pad(content+file), uint64(len(b)))
	return entry{string(b[newcSize : newcSize+name-1]), numbers[2], numbers[3], int(size)}, nil
}
