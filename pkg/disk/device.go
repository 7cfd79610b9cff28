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
	// Name is that of /sys/class/block.
	Name string
	// Bytes is its size.
	Bytes int64
	// Number is what the kernel calls it, MAJOR:MINOR, and since Linux 5.15
	// how many disks there were before: it tells a device from a later one
	// of the same name.
	Number string
	// PartUUID and PartLabel are those of a partition that has them.
	PartUUID, PartLabel string
	// Storage is the same for devices that are one, which several ways lead
	// to: the disk's worldwide name, and the partition. It is empty for a
	// disk without such a name.
	Storage string
}

// sector is the unit of sizes in sysfs.
const sector = 512

// Devices are the block devices in the sysfs under root ("/") that could hold
// a file system: whole disks without partitions, and partitions.
func Devices(root string) ([]Device, error) {
	dir := filepath.Join(root, "sys/class/block")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // no driver of a disk
	}
	if err != nil {
		return nil, fmt.Errorf("block devices: %w", err)
	}
	var out []Device
	for _, e := range entries {
		// One that goes meanwhile, or is broken, is no reason to give up
		// the others.
		if d, err := device(filepath.Join(dir, e.Name())); d != nil && err == nil {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Device) int { return Natural(a.Name, b.Name) })
	return out, nil
}

// device returns nil for one that cannot hold a file system of its own.
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
	// The kernel makes ramdisks and loop devices of nothing.
	name := filepath.Base(dir)
	if sectors == 0 || strings.HasPrefix(name, "ram") || strings.HasPrefix(name, "zram") {
		return nil, nil
	}
	parts, err := filepath.Glob(filepath.Join(dir, "*", "partition"))
	if err != nil || len(parts) > 0 {
		return nil, err
	}
	// A path of several ways to one disk: the device above is the disk.
	holders, err := filepath.Glob(filepath.Join(dir, "holders", "*"))
	if err != nil || len(holders) > 0 {
		return nil, err
	}
	d := &Device{Name: name, Bytes: sectors * sector, Number: strings.TrimSpace(string(number))}
	disks := []string{dir, filepath.Dir(evaluated(dir))} // if it is one, or a partition
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

// firstOf is the text of the first file of that name, if there is one.
func firstOf(dirs []string, name string) string {
	for _, dir := range dirs {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return strings.TrimSpace(string(b))
		}
	}
	return ""
}

// worldwide reports whether a name that SCSI's vital product data gives, as
// scsi_vpd_lun_id of drivers/scsi/scsi_lib.c prints it, is no other disk's.
// Vendors make up the rest, t10., as they like.
func worldwide(name string) bool {
	return slices.ContainsFunc([]string{"naa.", "eui.", "uuid."}, func(kind string) bool { return strings.HasPrefix(name, kind) })
}

// evaluated is where the links of sysfs lead: a partition is in its disk.
func evaluated(dir string) string {
	if to, err := filepath.EvalSymlinks(dir); err == nil {
		return to
	}
	return dir
}

// Natural orders names by their numbers: sda2 is before sda10.
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

// number are the digits at the start of s.
func number(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if i < 0 {
		return s
	}
	return s[:i]
}
