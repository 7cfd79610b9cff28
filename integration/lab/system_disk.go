// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Sizes of a disk, in bytes. Partitions begin where partitioning tools align
// them.
const (
	sectorSize    = 512
	partitionUnit = 1 << 20
	prepSize      = 8 << 20
	// rootFree is the free space of a root file system, in addition to its
	// tables and journal.
	rootFree = 128 << 20
)

// Types of partitions.
const (
	typePReP  = 0x41
	typeLinux = 0x83
)

// A partition is a row of a partition table. Its offset and size are in bytes.
type partition struct {
	kind         byte
	active       bool
	offset, size int64
}

// partitions lays out a disk. Its last partition is a root of rootSize bytes;
// if prep is set, a partition for the firmware's loader comes before it.
func partitions(prep bool, rootSize int64) []partition {
	var all []partition
	offset := int64(partitionUnit)
	if prep {
		all = append(all, partition{typePReP, true, offset, prepSize})
		offset += prepSize
	}
	rootSize = (rootSize + partitionUnit - 1) / partitionUnit * partitionUnit
	return append(all, partition{typeLinux, !prep, offset, rootSize})
}

// partitionTable returns the first sector of a disk with an MSDOS partition
// table. It returns an error if the table cannot describe the partitions.
func partitionTable(id uint32, parts []partition) ([]byte, error) {
	const (
		idOffset    = 440
		firstOffset = 446
		rowSize     = 16
		rows        = 4
		// useLBA is a cylinder, head and sector address that says: too
		// large for this form.
		useLBA = "\xfe\xff\xff"
	)
	if len(parts) > rows {
		return nil, fmt.Errorf("%d partitions do not fit in a table of %d", len(parts), rows)
	}
	b := make([]byte, sectorSize)
	binary.LittleEndian.PutUint32(b[idOffset:], id)
	end := int64(sectorSize)
	for i, p := range parts {
		if p.offset < end || p.size <= 0 || p.offset%sectorSize != 0 || p.size%sectorSize != 0 || (p.offset+p.size)/sectorSize > 1<<32-1 {
			return nil, fmt.Errorf("partition %d: %d bytes at %d", i+1, p.size, p.offset)
		}
		end = p.offset + p.size
		row := b[firstOffset+i*rowSize:]
		if p.active {
			row[0] = 0x80
		}
		copy(row[1:], useLBA)
		row[4] = p.kind
		copy(row[5:], useLBA)
		binary.LittleEndian.PutUint32(row[8:], uint32(p.offset/sectorSize))
		binary.LittleEndian.PutUint32(row[12:], uint32(p.size/sectorSize))
	}
	b[sectorSize-2], b[sectorSize-1] = 0x55, 0xaa
	return b, nil
}

// treeSize estimates how much space a tree needs in a file system.
func treeSize(root string) (int64, error) {
	const block = 4096
	var size int64
	err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		// Count an inode and the blocks.
		size += 512 + (info.Size()+block-1)/block*block
		return nil
	})
	return size, err
}

// writeDisk writes a disk with a root file system. It needs neither mounts nor
// loop devices.
func (s *system) writeDisk(ctx context.Context, root, path string) (err error) {
	size, err := treeSize(root)
	if err != nil {
		return err
	}
	parts := partitions(s.prep, size+rootFree)
	table, err := partitionTable(s.diskID, parts)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(table); err != nil {
		return err
	}
	p := parts[len(parts)-1]
	// Partitioning tools also leave the end free.
	if err := f.Truncate(p.offset + p.size + partitionUnit); err != nil {
		return err
	}
	// On any host, make the file system that Debian 12 makes on a disk of
	// usual size: these features, and blocks of 4 KiB.
	_, err = run(ctx, "", "mke2fs", "-q", "-F", "-t", "ext4", "-O", "^metadata_csum_seed,^orphan_file", "-T", "default",
		"-L", "root", "-U", s.rootUUID, "-E", fmt.Sprintf("offset=%d,nodiscard", p.offset), "-d", root,
		path, fmt.Sprintf("%dk", p.size>>10))
	return err
}
