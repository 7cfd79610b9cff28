// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestAggregate compares the first kernel's boot_aggregate with PCRs 0 to 9, as they
// are or as an event log says they were.
func TestAggregate(t *testing.T) {
	log, err := func() (*eventlog.Log, error) {
		l := eventlog.New([]pcr.Algorithm{pcr.SHA256, pcr.SHA1})
		e, err := l.File("/boot/vmlinux", []byte("kernel"))
		return l.With(e), err
	}()
	if err != nil {
		t.Fatal(err)
	}
	zero := make([]byte, pcr.SHA256.Size())
	afterOne, err := log.Replay(eventlog.FilePCR, pcr.SHA256, 1)
	if err != nil {
		t.Fatal(err)
	}
	// begin makes the list anew, with a boot_aggregate of these registers.
	begin := func(m *machine, more ...[]byte) {
		var content []byte
		for i := range 8 {
			content = append(content, m.values[i][pcr.SHA256]...)
		}
		m.list, m.count = nil, 0
		for a := range m.values[m.index] {
			m.values[m.index][a] = make([]byte, a.Size())
		}
		m.measure("boot_aggregate", bytes.Join(append([][]byte{content}, more...), nil))
	}
	extendLoader := func(m *machine) { m.extendIn(eventlog.FilePCR, []byte("something")) }
	for _, tt := range []struct {
		name    string
		world   func(m *machine)
		verdict refusal.Name
		pcrs    string
		text    string
	}{
		{"as they are", func(*machine) {}, refusal.Match, "0-9", "boot_aggregate is that of PCRs 0-9 as they are"},
		{"an older kernel", func(m *machine) { begin(m); extendLoader(m) }, refusal.Match, "0-7", "PCRs 0-7 as they are"},
		{"extended since", extendLoader, refusal.Match, "0-9", "before PCRs 8 and 9 were extended"},
		{"in the midst of a log", func(m *machine) {
			begin(m, zero, afterOne)
			fileroot.Add(m.t, m.root, map[string]string{"sys/kernel/security/tpm0/binary_bios_measurements": string(log.Bytes())})
			extendLoader(m)
		}, refusal.Match, "0-9", "after 1 event of the event log"},
		{"the same without a log", func(m *machine) { begin(m, zero, afterOne); extendLoader(m) }, refusal.AggregateMismatch, "", "digest neither of PCRs 0-7 nor of PCRs 0-9"},
		{"of another firmware", func(m *machine) { m.extendIn(0, []byte("other")) }, refusal.AggregateMismatch, "", "boot_aggregate sha256:"},
		{"of a later kernel, which a file's name may be", func(m *machine) { m.measure("boot_aggregate", []byte("a file")) }, refusal.Match, "0-9", "as they are"},
		{"a bank that is not there", func(m *machine) {
			if err := os.RemoveAll(m.file(tpmDir + "/pcr-sha256")); err != nil {
				m.t.Fatal(err)
			}
		}, "", "", "was not compared: tpm0 has no bank sha256"},
		{"PCRs that cannot be read", func(m *machine) { m.write(tpmDir+"/pcr-sha1/3", nil) }, "", "", "was not compared: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			tt.world(m)
			s, err := Read(t.Context(), m.options())
			if err != nil {
				t.Fatal(err)
			}
			a := s.Aggregate
			if a == nil || a.Verdict != tt.verdict || a.PCRs != tt.pcrs || !strings.Contains(a.Text, tt.text) {
				t.Fatalf("%+v", a)
			}
			var want refusal.Name
			if tt.verdict == refusal.AggregateMismatch {
				want = tt.verdict
			}
			needRefusal(t, s.Err(), want, tt.text)
			var text strings.Builder
			if err := s.WriteText(&text); err != nil || !strings.Contains(text.String(), "hop 1: "+a.Text+"\n") {
				t.Errorf("%v\n%s", err, text.String())
			}
		})
	}
}

// TestNoAggregate: nothing is compared without a TPM, or if the first kernel found
// none.
func TestNoAggregate(t *testing.T) {
	m := newMachine(t)
	o := m.options()
	o.TPM = TPMOff
	if s, err := Read(t.Context(), o); err != nil || s.Aggregate != nil {
		t.Errorf("%+v, %v", s, err)
	}
	if err := m.loseTPM(); err != nil {
		t.Fatal(err)
	}
	if s, err := Read(t.Context(), m.options()); err != nil || s.Aggregate != nil {
		t.Errorf("%+v, %v", s, err)
	}
}
