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

// TestInitramfsCarrier takes the list through chains of kernels as a file:
// what imaboot list writes begins with what it wrote in the stage before.
func TestInitramfsCarrier(t *testing.T) {
	needLab(t)
	for _, tt := range []struct {
		name    string
		kernels []string
		records int // measured by each stage but the last
		guest   lab.Guest
	}{
		{name: "s390x two hops", kernels: []string{lab.Debian61S390X, lab.Debian61S390X, lab.DebianNewS390X}, records: 10, guest: lab.Guest{Arch: s390x, CPUs: 2}},
		{name: "ppc64le", kernels: []string{lab.Debian61, lab.Debian61}, records: 10, guest: lab.Guest{Arch: ppc64le, CPUs: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := tt.guest
			for i, k := range tt.kernels {
				s := lab.Stage{Kernel: kernel(t, k), Stage: script.Stage{Name: fmt.Sprint(i + 1)}}
				if i+1 < len(tt.kernels) {
					s.Steps = append(s.Steps, script.Step{Measure: tt.records})
				}
				s.Steps = append(s.Steps, joined...)
				if i+1 < len(tt.kernels) {
					s.Steps = append(s.Steps, boot(g.Arch))
				}
				g.Stages = append(g.Stages, s)
			}
			checkArrived(t, runGuest(t, g), len(tt.kernels))
		})
	}
}
