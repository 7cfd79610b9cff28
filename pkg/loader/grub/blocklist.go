// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// blockList matches sectors of a device, which belong to no file (grub.info,
// "Block list syntax"): [OFFSET]+LENGTH,… in units of 512 bytes. SUSE keeps the
// environment block there on btrfs, because GRUB cannot write to files of
// btrfs.
var blockList = regexp.MustCompile(`^(?:\(([^)]*)\))?([0-9]*\+[0-9]+(?:,[0-9]*\+[0-9]+)*)$`)

const sector = 512

// readBlocks reads a block list of a file system's device. GRUB's names of
// whole disks cannot be resolved here.
func (in *interpreter) readBlocks(at position, device, list string) ([]byte, error) {
	v := in.root()
	if device != "" {
		v = in.volume(device)
	}
	if v == nil || v.Blocks == nil {
		return nil, fmt.Errorf("%w: no such device: (%s): %w", entry.ErrConfig, printable(device), fs.ErrNotExist)
	}
	var b []byte
	for extent := range strings.SplitSeq(list, ",") {
		from, length, _ := strings.Cut(extent, "+")
		if from == "" {
			from = "0"
		}
		first, err := strconv.ParseInt(from, 10, 48)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", entry.ErrConfig, err)
		}
		count, err := strconv.Atoi(length)
		if err != nil || count > (entry.MaxConfig-len(b))/sector {
			return nil, fmt.Errorf("%w: more than %d bytes", entry.ErrConfig, entry.MaxConfig)
		}
		// This is spent before the read, for a script may repeat one that fails.
		if err := in.spend(at, count*sector); err != nil {
			return nil, err
		}
		part := make([]byte, count*sector)
		if _, err := v.Blocks.ReadAt(part, first*sector); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", entry.ErrConfig, v.Device, err)
		}
		b = append(b, part...)
	}
	return b, nil
}
