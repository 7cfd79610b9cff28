// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"os"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestChoose asks how a list would travel, for what targets say of themselves
// and callers ask for.
func TestChoose(t *testing.T) {
	none := func(*machine, *Target, *Options) {}
	for _, tt := range []struct {
		name  string
		world func(*machine, *Target, *Options)
		by    Carrier
		// note: an archive goes in front of the initrd.
		note bool
		want refusal.Name
		text string
	}{
		{"a kernel that restores", none, handover.ByKernel, true, "", "restores a list"},
		{"without a note", func(_ *machine, _ *Target, o *Options) { o.NoNote = true }, handover.ByKernel, false, "", ""},
		{"without an initrd", func(_ *machine, target *Target, _ *Options) { target.Initrds = nil }, handover.ByKernel, false, "", ""},
		{"with an initrd that is no initramfs", func(m *machine, _ *Target, _ *Options) { m.write("initrd", []byte("ext2")) }, handover.ByKernel, false, "", ""},
		{"asked for a file", func(_ *machine, _ *Target, o *Options) { o.By = handover.ByInitramfs }, handover.ByInitramfs, true, "", "CONFIG_BLK_DEV_INITRD"},
		{"a kernel that does not restore", func(m *machine, target *Target, _ *Options) { target.Kernel = m.file("old") }, handover.ByInitramfs, true, "", ""},
		{"and is asked to", func(m *machine, target *Target, o *Options) {
			target.Kernel, o.By = m.file("old"), handover.ByKernel
		}, "", false, refusal.NotRestored, "old: "},
		{"nor unpacks", func(m *machine, target *Target, _ *Options) {
			target.Kernel = m.file("old")
			m.write("config", []byte("CONFIG_X=y\n"))
		}, "", false, refusal.NotRestored, "lacks CONFIG_BLK_DEV_INITRD"},
		{"with an initrd that is none", func(m *machine, target *Target, _ *Options) {
			target.Kernel = m.file("old")
			m.write("initrd", []byte("ext2"))
		}, "", false, refusal.NotInitramfs, "initrd: "},
		{"a root over the list", func(m *machine, target *Target, _ *Options) {
			target.Kernel, target.Initrds = m.file("old"), nil
			target.Cmdline += " root=/dev/dasda1"
		}, "", false, refusal.NotRestored, "mounts root= over the list"},
		{"a root, and a file is asked for", func(_ *machine, target *Target, o *Options) {
			o.By, target.Initrds = handover.ByInitramfs, nil
			target.Cmdline += " root=/dev/dasda1"
		}, handover.ByInitramfs, true, "", ""},
		{"records that no kernel restores", func(m *machine, _ *Target, _ *Options) { m.legacy() }, handover.ByInitramfs, true, "", "old template ima"},
		{"and the kernel is asked to", func(m *machine, _ *Target, o *Options) {
			m.legacy()
			o.By = handover.ByKernel
		}, "", false, refusal.CannotBeCarried, "old template ima"},
		{"and nobody would see a file", func(m *machine, target *Target, _ *Options) {
			m.legacy()
			target.Initrds = nil
		}, "", false, refusal.CannotBeCarried, "old template ima"},
		{"another byte order", func(_ *machine, target *Target, _ *Options) { target.Cmdline = "quiet" }, "", false, refusal.OtherByteOrder, "ima_canonical_fmt"},
		{"a command line with no room for the note", func(_ *machine, target *Target, _ *Options) {
			target.Cmdline += " " + strings.Repeat("x", 4070)
		}, handover.ByKernel, false, "", ""},
		{"a command line that hides the name of a list", func(_ *machine, target *Target, _ *Options) {
			target.Cmdline += ` x="y imaboot.list=0123456789abcdef"`
		}, "", false, refusal.BadCommandLine, "inside another parameter"},
		{"a command line that clears the screen", func(_ *machine, target *Target, _ *Options) {
			target.Cmdline += " \x1b[2J"
		}, "", false, refusal.BadCommandLine, "control character"},
		{"a command line that ends early", func(_ *machine, target *Target, _ *Options) {
			target.Cmdline += "\x00lockdown=none"
		}, "", false, refusal.BadCommandLine, "control character"},
		{"and the note must go", func(_ *machine, target *Target, o *Options) {
			o.By = handover.ByInitramfs
			target.Cmdline += " " + strings.Repeat("x", 4070)
		}, "", false, refusal.BadCommandLine, "too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			target, o := m.target(), m.options()
			tt.world(m, &target, &o)
			var r *Result
			j, err := Open(t.Context(), target, o)
			if err == nil {
				defer j.Close()
				r, err = j.Plan(t.Context())
			}
			if tt.want != "" {
				needRefusal(t, err, tt.want, tt.text)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, note := r.Plan.Segment(archdesc.SegmentArchive)
			if r.By != tt.by || note != tt.note || !strings.Contains(r.Why, tt.text) {
				t.Errorf("by %q, note %v, %q; want %q, %v, %q", r.By, note, r.Why, tt.by, tt.note, tt.text)
			}
			if has := strings.Contains(r.Plan.Cmdline, handover.Param+"="); has != note {
				t.Errorf("command line %q with the note: %v", r.Plan.Cmdline, note)
			}
		})
	}
}

// TestProbe opens the kernel, and not its initrd.
func TestProbe(t *testing.T) {
	m := newMachine(t)
	target := m.target()
	if err := os.Remove(target.Initrds[0]); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		kernel string
		by     Carrier
		want   refusal.Name
	}{{"kernel", handover.ByKernel, ""}, {"old", handover.ByInitramfs, ""}, {"config", "", refusal.NotKernel}, {"none", "", refusal.BadFile}} {
		target.Kernel = m.file(tt.kernel)
		by, why, err := Probe(t.Context(), target, m.options())
		needRefusal(t, err, tt.want, "")
		if by != tt.by || (err == nil) != (why != "") {
			t.Errorf("%s: %q, %q", tt.kernel, by, why)
		}
	}
	// It needs no job of its own.
	m.write("initrd", []byte("\x1f\x8b"))
	m.open(m.options())
	target.Kernel = m.file("kernel")
	if _, _, err := Probe(t.Context(), target, m.options()); err != nil {
		t.Error(err)
	}
}
