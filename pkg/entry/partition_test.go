// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package entry

import "testing"

func TestPartition(t *testing.T) {
	for _, tt := range []struct {
		device, disk string
		number       int
	}{
		{"sda1", "sda", 1},
		{"sdap12", "sdap", 12},
		{"vda2", "vda", 2},
		{"xvda1", "xvda", 1},
		{"hdc3", "hdc", 3},
		{"dasda1", "dasda", 1},
		{"nvme0n1p3", "nvme0n1", 3},
		{"mmcblk0p1", "mmcblk0", 1},
		{"md127p1", "md127", 1},
		{"loop0p2", "loop0", 2},
		{"sda", "sda", 0},
		{"nvme0n1", "nvme0n1", 0},
		{"mmcblk0", "mmcblk0", 0},
		{"mmcblk0boot0", "mmcblk0boot0", 0},
		{"md0", "md0", 0},
		{"dm-0", "dm-0", 0},
		{"sr0", "sr0", 0},
		{"sda0", "sda0", 0},
		{"sda9999999999", "sda9999999999", 0},
		{"", "", 0},
	} {
		v := &Volume{Device: tt.device}
		disk, number := v.Partition()
		if disk != tt.disk || number != tt.number {
			t.Errorf("%s: %s, %d", tt.device, disk, number)
		}
		all := Volumes{{Device: "other1"}, v}
		if got := all.Partition(tt.disk, tt.number); got != v {
			t.Errorf("%s: %v", tt.device, got)
		}
		if got := all.Partition(tt.disk, tt.number+1); got != nil {
			t.Errorf("%s: %v", tt.device, got)
		}
	}
}
