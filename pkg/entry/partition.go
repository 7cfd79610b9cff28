// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package entry

import (
	"regexp"
	"strconv"
)

// partition is a name that the kernel gives a partition: the disk's and the
// number, with a p between if the disk's ends with a digit. Only disks of
// these drivers have letters; of others, as md0 or dm-0, a number is no
// partition's.
var partition = regexp.MustCompile(`^(?:((?:sd|vd|xvd|hd|dasd)[a-z]+)|(.*[0-9])p)([1-9][0-9]{0,8})$`)

// Partition is the name of the disk that the volume is on, and the number of
// its partition, which is 0 if it is on the whole of the device.
func (v *Volume) Partition() (disk string, number int) {
	m := partition.FindStringSubmatch(v.Device)
	if m == nil {
		return v.Device, 0
	}
	number, _ = strconv.Atoi(m[3]) // is digits, and not too many
	return m[1] + m[2], number
}

// Partition is the volume on a disk's partition, nil without one.
func (all Volumes) Partition(disk string, number int) *Volume {
	return all.Find(func(v *Volume) bool {
		on, n := v.Partition()
		return on == disk && n == number
	})
}
