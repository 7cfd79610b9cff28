// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"testing"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/internal/testing/petest"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestUKI takes a unified kernel image apart. What is given beside it comes behind
// its own initrd, or replaces its command line.
func TestUKI(t *testing.T) {
	const own, ownInitrd, other = "ima_canonical_fmt own", "\x1f\x8b own", "ima_canonical_fmt other"
	for _, tt := range []struct {
		name, line, want string
		initrd           bool
		packed           string
	}{
		{"alone", "", own, false, ownInitrd},
		{"with an initrd", "", own, true, ownInitrd + "\x00\x00\x1f\x8b packed"},
		{"with a command line", other, other, false, ownInitrd},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.write("kernel", petest.File(petest.AMD64,
				petest.Section{Name: ".cmdline", Data: own}, petest.Section{Name: ".initrd", Data: ownInitrd}, petest.Section{Name: ".linux", Data: string(s390xImage(1))}))
			target := Target{Kernel: m.file("kernel"), Cmdline: tt.line, Config: m.file("config")}
			if tt.initrd {
				target.Initrds = []string{m.file("initrd")}
			}
			o := m.options()
			o.NoNote = true
			j, err := Open(t.Context(), target, o)
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			r, err := j.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			initrd, _ := r.Plan.Segment(archdesc.SegmentInitrd)
			if r.Plan.Cmdline != tt.want || !bytes.Equal(initrd.Data, []byte(tt.packed)) {
				t.Errorf("command line %q, initrd %q", r.Plan.Cmdline, initrd.Data)
			}
		})
	}
	m := newMachine(t)
	b := petest.File(petest.AMD64, petest.Section{Name: ".linux", Data: string(s390xImage(1))})
	m.write("kernel", b[:len(b)-1])
	_, err := Open(t.Context(), Target{Kernel: m.file("kernel")}, m.options())
	needRefusal(t, err, refusal.BadFile, "unified kernel image: cut short: section .linux")
}
