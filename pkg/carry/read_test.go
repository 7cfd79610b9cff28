// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/u-root/u-root/pkg/boot/menu"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// u-root's menus take an Entry.
var _ menu.Entry = (*Entry)(nil)

// send lets an earlier kernel send a list by the initramfs: it loads one and
// unpacks what was loaded.
func (m *machine) send() {
	m.t.Helper()
	o := m.options()
	o.By = handover.ByInitramfs
	j := m.open(o)
	r, err := j.Load(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		m.t.Fatal(err)
	}
	archive, ok := r.Plan.Segment(archdesc.SegmentArchive)
	if !ok {
		m.t.Fatal("no archive")
	}
	unpack(m.t, m.root, archive.Data)
	m.write("proc/cmdline", []byte(r.Plan.Cmdline))
	m.list, m.count = nil, 0
	m.measure("boot_aggregate", nil)
}

// TestCarried joins what came as a file with the kernel's own list, which a
// next load carries on.
func TestCarried(t *testing.T) {
	m := newMachine(t)
	before := bytes.Clone(m.list)
	m.send()
	s, err := Read(t.Context(), m.options())
	if err != nil || s.Err() != nil {
		t.Fatal(err, s.Err())
	}
	if !bytes.Equal(s.Bytes(), append(before, m.list...)) || len(s.Report.Hops) != 2 || s.own() != len(before) {
		t.Errorf("%d bytes in %d hops", len(s.Bytes()), len(s.Report.Hops))
	}
	var text strings.Builder
	if err := s.WriteText(&text); err != nil || !strings.Contains(text.String(), "4 records of 1 hop came as a file, sent by \""+release) {
		t.Errorf("%v:\n%s", err, text.String())
	}
	if s.Carried.Note.Imaboot != Version || s.Carried.Note.Kernel != release {
		t.Errorf("sent by imaboot %q, kernel %q", s.Carried.Note.Imaboot, s.Carried.Note.Kernel)
	}
	j := m.open(m.options())
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(carried(m.held), s.Bytes()) {
		t.Error("the next load does not carry both lists")
	}

	// Left out, the rest does not match; damaged, it is refused.
	o := m.options()
	o.IgnoreCarried = true
	if s, err = Read(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	needRefusal(t, s.Err(), refusal.TPMAhead, "")
	m.write("imaboot/measurements", before[:len(before)-1])
	_, err = Read(t.Context(), m.options())
	needRefusal(t, err, refusal.CarriedDamaged, "measurements")
}

// TestHintTravels: a note tells the next kernel what its sender found out about
// forms.
func TestHintTravels(t *testing.T) {
	m := newMachine(t)
	m.list, m.count, m.padded = nil, 0, true
	for a := range m.values[m.index] {
		m.values[m.index][a] = make([]byte, a.Size())
	}
	m.measure("boot_aggregate", nil)
	m.measure("/init", []byte("init"))
	m.padded = false
	m.send()
	s, err := Read(t.Context(), m.options())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(handover.Hint{pcr.SHA256: "1p"}, s.Carried.Note.Forms); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(handover.Hint{pcr.SHA256: "1p1t"}, s.Report.Hint()); diff != "" || s.Report.Verdict != handover.Match {
		t.Errorf("%s\n%s", s.Report.Text, diff)
	}
}

// TestPrefix: what was deleted from the kernel's list is kept in a file.
func TestPrefix(t *testing.T) {
	m := newMachine(t)
	whole := bytes.Clone(m.list)
	l, err := handover.Parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for r := range l.All {
		if r.Number == 3 {
			at = r.Offset
		}
	}
	m.write("prefix", whole[:at])
	m.write(imaDir+"/binary_runtime_measurements", whole[at:])
	m.write(imaDir+"/runtime_measurements_count", []byte("2\n"))
	o := m.options()
	o.Prefix = m.file("prefix")
	var lines []string
	o.Debug = func(format string, _ ...any) { lines = append(lines, format) }
	if _, err := m.open(o).Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(carried(m.held), whole) || !strings.Contains(strings.Join(lines, "\n"), "prefix") {
		t.Error("the list is not whole")
	}
}

// TestOpenFiles opens what targets can consist of.
func TestOpenFiles(t *testing.T) {
	for _, tt := range []struct {
		name  string
		world func(*machine, *Target)
		want  refusal.Name
		text  string
	}{
		{"two initrds", func(m *machine, target *Target) {
			m.write("second", []byte("\x1f\x8b second"))
			target.Initrds = append(target.Initrds, m.file("second"))
		}, "", ""},
		{"a configuration that is none", func(m *machine, _ *Target) {
			m.write("config", bytes.Repeat([]byte("x"), 1<<17))
		}, "", ""},
		{"no configuration", func(_ *machine, target *Target) { target.Config = "" }, "", ""},
		{"a kernel that is cut short", func(m *machine, _ *Target) { m.write("kernel", s390xImage(1)[:0x3f000]) }, refusal.NotKernel, "kernel: "},
		{"a packed kernel that is damaged", func(m *machine, _ *Target) { m.write("kernel", []byte("\x1f\x8b\x08 no")) }, refusal.BadFile, "gzip"},
		{"no initrd", func(m *machine, target *Target) { target.Initrds = []string{m.file("none")} }, refusal.BadFile, "none"},
		{"no device tree", func(m *machine, target *Target) { target.DeviceTree = m.file("none") }, refusal.BadFile, "none"},
		{"a device tree that is none", func(m *machine, target *Target) { target.DeviceTree = m.file("config") }, refusal.BadDeviceTree, "config"},
		{"no memory map", func(m *machine, _ *Target) { _ = os.Remove(m.file("proc/iomem")) }, refusal.Other, "memory map"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			target := m.target()
			tt.world(m, &target)
			j, err := Open(t.Context(), target, m.options())
			if err == nil {
				defer j.Close()
				_, err = j.Plan(t.Context())
			}
			if tt.want == refusal.Other {
				needRefusalOrJump(t, err, tt.want, tt.text)
				return
			}
			needRefusal(t, err, tt.want, tt.text)
		})
	}
}

// TestPredict: the record that the kernel makes of the jump is in the list, or
// the jump is refused.
func TestPredict(t *testing.T) {
	for _, tt := range []struct {
		name, rule string
		want       refusal.Name
	}{
		{"plain", "measure func=CRITICAL_DATA label=ima_kexec", ""},
		{"another form", "measure func=CRITICAL_DATA label=ima_kexec pcr=11", refusal.NotPredictable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.write("proc/kallsyms", []byte("0 t ima_measure_kexec_event\n"))
			m.write(imaDir+"/policy", []byte(tt.rule+"\n"))
			_, err := m.open(m.options()).Load(t.Context())
			needRefusal(t, err, tt.want, "")
			if tt.want == "" && (!bytes.HasPrefix(carried(m.held), m.list) || !bytes.Contains(carried(m.held), []byte("kexec_execute"))) {
				t.Error("the record of the jump is not in the list")
			}
		})
	}
}

// TestRunning: without fakes, on a root that has nothing, errors say so.
func TestRunning(t *testing.T) {
	o := Options{Root: t.TempDir()}
	_, err := Read(t.Context(), o)
	needRefusalOrJump(t, err, refusal.Other, "command line")
	if _, err := Resume(o); err == nil {
		t.Error("resumed nothing")
	}
	if _, _, err := Probe(t.Context(), Target{Kernel: "/none"}, o); err == nil {
		t.Error("probed nothing")
	}
}
