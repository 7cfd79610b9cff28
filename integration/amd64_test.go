// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"fmt"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

const amd64 = "amd64"

// TestPC carries the list through chains of stock kernels on PCs, which have a
// TPM: by the kernel, and by a file in front of the initrd.
func TestPC(t *testing.T) {
	const old, stable, latest = lab.Debian61AMD64, lab.Debian612AMD64, lab.DebianNewAMD64
	for _, tt := range []struct {
		name    string
		kernels []string
		hops    []hop
		guest   lab.Guest
	}{
		{"three hops", []string{old, stable, latest, old}, []hop{byKernel, byKernel, byKernel}, lab.Guest{CPUs: 2}},
		{"UEFI", []string{old, stable, latest}, []hop{byKernel, byKernel}, lab.Guest{CPUs: 2, UEFI: true}},
		{"by a file", []string{old, latest, stable}, []hop{byInitramfs, byInitramfs}, lab.Guest{CPUs: 1}},
		{"by either", []string{latest, old, stable}, []hop{byInitramfs, byKernel}, lab.Guest{CPUs: 4, Memory: "1G"}},
		{"512 MiB", []string{old, stable}, []hop{byKernel}, lab.Guest{CPUs: 8, Memory: "512M"}},
		{"6 GiB in two nodes", []string{stable, latest}, []hop{byKernel}, lab.Guest{CPUs: 4, Memory: "6G", Nodes: 2}},
		{"UEFI without its runtime", []string{stable, latest}, []hop{byKernel}, lab.Guest{CPUs: 2, UEFI: true, Append: "efi=noruntime"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := tt.guest
			g.Arch = amd64
			for i, k := range tt.kernels {
				s := lab.Stage{Kernel: kernel(t, k), Stage: script.Stage{Name: fmt.Sprint(i + 1)}}
				if i > 0 {
					s.Steps = append(s.Steps, verify)
				}
				s.Steps = append(s.Steps, script.Step{Measure: 10})
				s.Steps = append(s.Steps, joined...)
				if i < len(tt.hops) {
					s.Steps = append(s.Steps, tt.hops[i].step(g.Arch, lab.Cmdline(amd64)))
				}
				g.Stages = append(g.Stages, s)
			}
			r := runGuest(t, g)
			checkArrived(t, r, len(tt.kernels))
			checkCPUs(t, r, g.CPUs)
		})
	}
}
