// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package entry

import (
	"regexp"
	"strconv"
)

// partition matches the kernel's name of a partition: the disk's name and the
// number, with a p between them if the disk's name ends with a digit. Disks
// whose names end with a letter are those of the drivers listed here. In other
// names, such as md0 or dm-0, the number does not mean a partition.
var partition = regexp.MustCompile(`^(?:((?:sd|vd|xvd|hd|dasd)[a-z]+)|(.*[0-9])p)([1-9][0-9]{0,8})$`)

// Partition returns the name of the disk that the volume is on, and the number
// of its partition. The number is 0 if the volume is the whole device.
func (v *Volume) Partition() (disk string, number int) {
	m := partition.FindStringSubmatch(v.Device)
	if m == nil {
		return v.Device, 0
	}
	number, _ = strconv.Atoi(m[3]) // it consists of a few digits
	return m[1] + m[2], number
}

// Partition returns the volume on a partition of a disk, or nil.
func (all Volumes) Partition(disk string, number int) *Volume {
	return all.Find(func(v *Volume) bool {
		on, n := v.Partition()
		return on == disk && n == number
	})
}
