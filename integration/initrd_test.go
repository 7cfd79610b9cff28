// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"maps"
	"slices"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// TestInitrds carries the list in front of initrds in every compression that
// kernels know.
func TestInitrds(t *testing.T) {
	stock := kernel(t, lab.Debian61S390X)
	for _, pack := range append(slices.Sorted(maps.Keys(lab.Packers)), lab.WithMicrocode) {
		t.Run(pack, func(t *testing.T) {
			t.Parallel()
			r := runGuest(t, lab.Guest{Arch: s390x, CPUs: 1, Stages: []lab.Stage{
				{Kernel: stock, Stage: script.Stage{Name: "1", Steps: append(joined[:2:2], boot(s390x))}},
				{Kernel: stock, Stage: script.Stage{Name: "2", Steps: append([]script.Step{proven(s390x)}, joined...)}, Pack: pack},
			}})
			checkArrived(t, r, 2)
		})
	}
}

// TestNoInitrd: the kernel unpacks the archive even without an initrd. The next
// kernel is told to start the list as its init. The list is not a program, and
// the kernel's error shows that it found the list.
func TestNoInitrd(t *testing.T) {
	t.Parallel()
	own := kernel(t, lab.OwnS390X)
	runGuest(t, lab.Guest{
		Arch: s390x, CPUs: 1, Until: "Failed to execute /imaboot/measurements (error -13)",
		Stages: []lab.Stage{
			{Kernel: own, Files: map[string]string{lab.NextKernel: own}, Stage: script.Stage{Name: "1", Steps: []script.Step{
				{Run: []string{"/bin/imaboot", "boot", "--carry=initramfs", "--command-line", lab.Cmdline(s390x) + " rdinit=/imaboot/measurements", lab.NextKernel}, Show: true},
			}}},
		},
	})
}
