// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package disk finds block devices, identifies what is on them, and mounts
// their file systems without writing to the disk.
package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// ErrNothing means that a device holds no known file system.
var ErrNothing = errors.New("no known file system")

// A Superblock describes the content of a device.
type Superblock struct {
	// Type is the kernel's name of the file system. For other content, it
	// is the name that blkid uses.
	Type string
	// UUID and Label are in the form that blkid prints. They are empty if
	// there are none.
	UUID, Label string
}

// A format says how to recognise one kind of content. u-root's pkg/mount/block
// reads no labels, and the UUIDs of only three file systems.
type format struct {
	name   string
	magic  string
	offset int64
	// uuid is the offset of 16 bytes, and label that of labelSize bytes of
	// text. They are 0 if there is none.
	uuid, label int64
	labelSize   int
	// read reads what an offset cannot describe.
	read func(io.ReaderAt, *Superblock) error
}

// formats are in the order in which they are tried: parts of volume groups and
// RAIDs come before file systems. The offsets are from the headers in fs/*/ of
// Linux and, for other content, from libblkid's documentation.
var formats = []format{
	{name: "crypto_LUKS", magic: "LUKS\xba\xbe"},
	{name: "LVM2_member", magic: "LVM2 001", offset: 512 + 24},
	{name: "linux_raid_member", magic: "\xfc\x4e\x2b\xa9", offset: 4096},
	{name: "swap", magic: "SWAPSPACE2", offset: 4086},
	{name: "swap", magic: "SWAPSPACE2", offset: 65526},
	{name: "ext4", magic: "\x53\xef", offset: 1024 + 56, uuid: 1024 + 104, label: 1024 + 120, labelSize: 16},
	{name: "xfs", magic: "XFSB", uuid: 32, label: 108, labelSize: 12},
	{name: "btrfs", magic: "_BHRfS_M", offset: 65536 + 64, uuid: 65536 + 32, label: 65536 + 299, labelSize: 256},
	{name: "f2fs", magic: "\x10\x20\xf5\xf2", offset: 1024, uuid: 1024 + 108, read: f2fs},
	{name: "squashfs", magic: "hsqs"},
	{name: "erofs", magic: "\xe2\xe1\xf5\xe0", offset: 1024, uuid: 1024 + 48, label: 1024 + 64, labelSize: 16},
	{name: "iso9660", magic: "CD001", offset: 32768 + 1, label: 32768 + 40, labelSize: 32, read: iso9660},
	{name: "vfat", magic: "FAT32   ", offset: 82, label: 71, labelSize: 11, read: fat(67)},
	{name: "vfat", magic: "FAT16   ", offset: 54, label: 43, labelSize: 11, read: fat(39)},
	{name: "vfat", magic: "FAT12   ", offset: 54, label: 43, labelSize: 11, read: fat(39)},
}

// noFilesystem says why content that is recognised cannot be mounted.
var noFilesystem = map[string]string{
	"crypto_LUKS":       "it is encrypted",
	"LVM2_member":       "it is a part of a volume group, which imaboot does not assemble",
	"linux_raid_member": "it is a part of a RAID, which imaboot does not assemble",
	"swap":              "it is swap space",
}

// Probe identifies what is on a device. It returns ErrNothing if it recognises
// nothing.
func Probe(r io.ReaderAt) (*Superblock, error) {
	for _, f := range formats {
		b := make([]byte, len(f.magic))
		_, err := r.ReadAt(b, f.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err != nil || string(b) != f.magic {
			continue // the device may be shorter than that
		}
		s := &Superblock{Type: f.name}
		if err := f.fill(r, s); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		return s, nil
	}
	return nil, ErrNothing
}

func (f *format) fill(r io.ReaderAt, s *Superblock) error {
	if f.uuid > 0 {
		var b [16]byte
		if _, err := r.ReadAt(b[:], f.uuid); err != nil {
			return err
		}
		s.UUID = fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	}
	if f.label > 0 {
		b := make([]byte, f.labelSize)
		if _, err := r.ReadAt(b, f.label); err != nil {
			return err
		}
		text, _, _ := strings.Cut(string(b), "\x00")
		s.Label = strings.TrimRight(text, " ")
	}
	if f.read != nil {
		return f.read(r, s)
	}
	return nil
}

// fat returns a function that reads the volume's serial number. A volume
// without a label has the text NO NAME.
func fat(serial int64) func(io.ReaderAt, *Superblock) error {
	return func(r io.ReaderAt, s *Superblock) error {
		var b [4]byte
		if _, err := r.ReadAt(b[:], serial); err != nil {
			return err
		}
		s.UUID = fmt.Sprintf("%02X%02X-%02X%02X", b[3], b[2], b[1], b[0])
		if s.Label == "NO NAME" {
			s.Label = ""
		}
		return nil
	}
}

// iso9660 uses the creation time as the UUID, because ISO 9660 has none.
func iso9660(r io.ReaderAt, s *Superblock) error {
	var b [16]byte
	if _, err := r.ReadAt(b[:], 32768+813); err != nil {
		return err
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return nil
		}
	}
	t := string(b[:])
	s.UUID = strings.Join([]string{t[:4], t[4:6], t[6:8], t[8:10], t[10:12], t[12:14], t[14:16]}, "-")
	return nil
}

// f2fs reads the label, which is in UTF-16.
func f2fs(r io.ReaderAt, s *Superblock) error {
	const label, size = 1024 + 124, 512
	b := make([]byte, 2*size)
	if _, err := r.ReadAt(b, label); err != nil {
		return err
	}
	var text []uint16
	for i := 0; i < len(b); i += 2 {
		c := binary.LittleEndian.Uint16(b[i:])
		if c == 0 {
			break
		}
		text = append(text, c)
	}
	s.Label = string(utf16.Decode(text))
	return nil
}
