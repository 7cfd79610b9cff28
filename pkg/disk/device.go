// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Device is a block device.
type Device struct {
	// Name is the device's name in /sys/class/block.
	Name string
	// Bytes is its size.
	Bytes int64
	// Number is MAJOR:MINOR, followed since Linux 5.15 by the kernel's
	// sequence number of disks. It tells a device from a later one of the
	// same name.
	Number string
	// PartUUID and PartLabel are those of the partition, or empty.
	PartUUID, PartLabel string
	// Storage is equal for devices that are the same storage on several
	// paths. It consists of the disk's worldwide name and the partition
	// number, and is empty for a disk without such a name.
	Storage string
}

// sector is the unit of sizes in sysfs, in bytes.
const sector = 512

// Devices returns the block devices in the sysfs under root (normally "/") that
// can hold a file system: partitions, and whole disks without partitions. They
// are sorted by name.
func Devices(root string) ([]Device, error) {
	dir := filepath.Join(root, "sys/class/block")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the kernel has no disk driver
	}
	if err != nil {
		return nil, fmt.Errorf("block devices: %w", err)
	}
	var out []Device
	for _, e := range entries {
		// Ignore a device that is broken or disappears meanwhile.
		if d, err := device(filepath.Join(dir, e.Name())); d != nil && err == nil {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Device) int { return Natural(a.Name, b.Name) })
	return out, nil
}

// device returns nil for a device that cannot hold a file system.
func device(dir string) (*Device, error) {
	text, err := os.ReadFile(filepath.Join(dir, "size"))
	if err != nil {
		return nil, err
	}
	sectors, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 54)
	if err != nil {
		return nil, err
	}
	number, err := os.ReadFile(filepath.Join(dir, "dev"))
	if err != nil {
		return nil, err
	}
	// The kernel creates ramdisks and loop devices that have no content.
	name := filepath.Base(dir)
	if sectors == 0 || strings.HasPrefix(name, "ram") || strings.HasPrefix(name, "zram") {
		return nil, nil
	}
	parts, err := filepath.Glob(filepath.Join(dir, "*", "partition"))
	if err != nil || len(parts) > 0 {
		return nil, err
	}
	// A path of a multipath disk has a holder, which is the disk itself.
	holders, err := filepath.Glob(filepath.Join(dir, "holders", "*"))
	if err != nil || len(holders) > 0 {
		return nil, err
	}
	d := &Device{Name: name, Bytes: sectors * sector, Number: strings.TrimSpace(string(number))}
	disks := []string{dir, filepath.Dir(evaluated(dir))} // the directory of the disk or partition, and the one above it
	if seq := firstOf(disks, "diskseq"); seq != "" {
		d.Number += " " + seq
	}
	if name := firstOf(disks, "device/wwid"); worldwide(name) {
		d.Storage = strings.TrimSpace(name + " " + firstOf(disks[:1], "partition"))
	}
	uevent, err := os.ReadFile(filepath.Join(dir, "uevent"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(uevent)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "PARTUUID":
			d.PartUUID = value
		case "PARTNAME":
			d.PartLabel = value
		}
	}
	return d, nil
}

// firstOf returns the text of the first file of that name, or "".
func firstOf(dirs []string, name string) string {
	for _, dir := range dirs {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return strings.TrimSpace(string(b))
		}
	}
	return ""
}

// worldwide reports whether a name from SCSI's vital product data is unique.
// The kernel prints the kinds of names in scsi_vpd_lun_id
// (drivers/scsi/scsi_lib.c). Vendors make up the kind "t10." as they like.
func worldwide(name string) bool {
	return slices.ContainsFunc([]string{"naa.", "eui.", "uuid."}, func(kind string) bool { return strings.HasPrefix(name, kind) })
}

// evaluated follows the links of sysfs. A partition's directory is inside that
// of its disk.
func evaluated(dir string) string {
	if to, err := filepath.EvalSymlinks(dir); err == nil {
		return to
	}
	return dir
}

// Natural compares names by the numbers in them, so that sda2 comes before
// sda10. The result is negative, zero or positive.
func Natural(a, b string) int {
	for a != "" && b != "" {
		x, y := number(a), number(b)
		if x != "" && y != "" {
			i, j := strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if len(i) != len(j) {
				return len(i) - len(j)
			}
			if i != j {
				return strings.Compare(i, j)
			}
			a, b = a[len(x):], b[len(y):]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

// number returns the digits at the start of s.
func number(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if i < 0 {
		return s
	}
	return s[:i]
}
