// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"testing"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// unsafeArch is an architecture on which no list has a safe place.
type unsafeArch struct{ archdesc.Arch }

func (a unsafeArch) Plan(m *archdesc.Machine, t *archdesc.Target, l *archdesc.List) (*archdesc.Plan, error) {
	if l.Buffer != nil {
		return nil, archdesc.ErrNoSafePlace
	}
	return a.Arch.Plan(m, t, l)
}

// TestNoSafePlace sends a list as a file that the kernel's carrier has no place
// for, unless that carrier was asked for or the target sees no file.
func TestNoSafePlace(t *testing.T) {
	for _, tt := range []struct {
		name   string
		by     Carrier
		initrd string
		want   refusal.Name
		text   string
	}{
		{"auto", "", "\x1f\x8b packed", "", ""},
		{"asked for", handover.ByKernel, "\x1f\x8b packed", refusal.NoSafePlace, "KASLR"},
		{"no initramfs", "", "no archive", refusal.NoSafePlace, "nor does it go as a file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.write("initrd", []byte(tt.initrd))
			o := m.options()
			o.arch, o.By = unsafeArch{o.arch}, tt.by
			r, err := m.open(o).Plan(t.Context())
			needRefusal(t, err, tt.want, tt.text)
			if err != nil {
				return
			}
			if _, ok := r.Plan.Segment(archdesc.SegmentArchive); !ok || r.By != handover.ByInitramfs || r.Why != archdesc.ErrNoSafePlace.Error() {
				t.Errorf("sent by %s: %s", r.By, r.Why)
			}
		})
	}
}
