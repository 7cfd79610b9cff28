// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"strconv"

	"github.com/u-root/u-root/pkg/cpio"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrNotInitramfs means that the list's archive cannot be put in front of an
// initrd.
var ErrNotInitramfs = refusal.New(refusal.NotInitramfs, "the list cannot be put in front of the initrd")

// compressions are the first bytes of a compressed member of an initramfs
// (lib/decompress.c).
var compressions = [][]byte{
	{0x1f, 0x8b}, {0x1f, 0x9e}, // gzip
	[]byte("BZh"), {0x5d, 0x00}, {0xfd, '7'}, // bzip2, lzma, xz
	{0x89, 'L'}, {0x02, '!'}, {0x28, 0xb5}, // lzo, lz4, zstd
}

// CheckInitrd checks that the target would unpack an archive that is put in
// front of this initrd, and would still find the archive's files afterwards
// (init/initramfs.c, unpack_to_rootfs). An initrd that is no initramfs ends up
// in the target's root file system as one file, which the archive would spoil.
// A list in the initrd's own /imaboot would replace that of the archive.
// CheckInitrd searches only the uncompressed part for such a list; the receiver
// detects others by their digest.
//
// The error wraps ErrNotInitramfs, or is that of ctx: an initrd may consist of
// more zeros and more entries than anybody waits for.
func CheckInitrd(ctx context.Context, initrd []byte) error {
	for at := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		rest, err := skipZeros(ctx, initrd[at:])
		if err != nil {
			return err
		}
		at = len(initrd) - len(rest)
		if len(rest) == 0 {
			return nil
		}
		if rest[0] != '0' {
			for _, magic := range compressions {
				if bytes.HasPrefix(rest, magic) {
					return nil
				}
			}
			return fmt.Errorf("%w: at offset %#x it begins with % x, which is neither an archive nor a compression that kernels know", ErrNotInitramfs, at, rest[:min(6, len(rest))])
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

// zeroPages are compared at once.
var zeroPages = make([]byte, 64<<10)

// skipZeros returns what follows zeros.
func skipZeros(ctx context.Context, b []byte) ([]byte, error) {
	for ; bytes.HasPrefix(b, zeroPages); b = b[len(zeroPages):] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b, nil
}

// An entry is one entry of a newc archive. size is its size in the archive,
// with header, name, content and padding.
type entry struct {
	name      string
	mode, uid uint64
	size      int
}

// inTheWay returns an error if an entry would replace a file of the list's
// archive, or would keep the receiver from trusting it.
func (e entry) inTheWay() error {
	const dir = "/" + CarriedDir
	switch name := path.Clean("/" + e.name); name {
	case dir + "/" + listFile, dir + "/" + noteFile:
		return fmt.Errorf("a %s of its own, which would replace the list's", name)
	case dir:
		if e.mode&cpio.S_IFMT != cpio.S_IFDIR || e.mode&0o022 != 0 || e.uid != 0 {
			return fmt.Errorf("a %s of its own that is not a directory which only root can write to", name)
		}
	}
	return nil
}

// Offsets in the header of a newc entry. All numbers are 8 hexadecimal digits.
// u-root's pkg/cpio is not used here, because it allocates as much memory as a
// header claims.
const (
	newcSize     = 110
	newcMode     = 14
	newcUID      = 22
	newcFileSize = 54
	newcNameSize = 94
	maxNewcName  = 4096 // PATH_MAX, as in the kernel
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
	// The last entry may lack its padding.
	size := min(pad(content+file), uint64(len(b)))
	return entry{string(b[newcSize : newcSize+name-1]), numbers[2], numbers[3], int(size)}, nil
}
