// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestRegisters: every PCR that the list has records of is compared.
func TestRegisters(t *testing.T) {
	foreign := func(index int) func(*machine) { return func(m *machine) { m.extendIn(index, []byte("foreign")) } }
	for _, tt := range []struct {
		name  string
		index int
		world func(m *machine)
		want  refusal.Name
		text  string
	}{
		{"another PCR of a rule", 10, nil, "", "PCR 10: sha1 match, sha256 match; PCR 11: sha1 match, sha256 match; PCR 12:"},
		{"records of it are gone", 10, foreign(12), refusal.BankNotReplayable, "PCR 12: sha1 no match"},
		{"a PCR that no record uses", 10, foreign(13), "", "PCR 12: sha1 match"},
		{"another PCR of the kernel", 11, nil, "", "PCR 11: sha1 match, sha256 match; PCR 10: sha1 match"},
		{"and PCR 10 was extended", 11, foreign(10), refusal.BankNotReplayable, "PCR 10: sha1 no match"},
		{"a PCR that can be reset", 10, func(m *machine) { m.measureIn(16, "/bin/debug", nil) }, refusal.UnprovenRecords, "1 of 8 records are unproven: 1 of PCR 16"},
		{"a PCR that does not answer", 10, func(m *machine) { m.write(tpmDir+"/pcr-sha256/12", nil) }, refusal.NoTPM, "pcr-sha256/12 is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachineAt(t, tt.index)
			m.measureIn(11, "/bin/eleven", []byte("11"))
			m.measureIn(12, "/bin/twelve", []byte("12"))
			m.measure("/bin/last", nil)
			if tt.world != nil {
				tt.world(m)
			}
			s, err := Read(t.Context(), m.options())
			if err == nil {
				err = s.Err()
			}
			needRefusal(t, err, tt.want, tt.text)
			if s != nil && (s.Report.PCR != tt.index || !strings.Contains(s.Report.Text, tt.text)) {
				t.Errorf("PCR %d: %s", s.Report.PCR, s.Report.Text)
			}
		})
	}
}

// TestRequireProven: with TPMRequire all records have to be proven.
func TestRequireProven(t *testing.T) {
	for mode, want := range map[TPMMode]refusal.Name{TPMAuto: "", TPMSeen: "", TPMRequire: refusal.UnprovenRecords} {
		m := newMachine(t)
		m.measureIn(16, "/bin/debug", nil)
		o := m.options()
		o.TPM = mode
		_, err := m.open(o).Load(t.Context())
		needRefusal(t, err, want, "which can be reset")
	}
}

// TestSeen: a TPM that another job saw must not be gone.
func TestSeen(t *testing.T) {
	m := newMachine(t)
	if err := m.loseTPM(); err != nil {
		t.Fatal(err)
	}
	o := m.options()
	o.TPM = TPMSeen
	_, err := m.open(o).Load(t.Context())
	needRefusal(t, err, refusal.NoTPM, "does not answer any more")
}

// TestAnotherStays: if IMA's TPM leaves, another one does not take its place.
func TestAnotherStays(t *testing.T) {
	m := newMachine(t)
	if err := os.CopyFS(m.file("sys/class/tpm/tpm1"), os.DirFS(m.file(tpmDir))); err != nil {
		t.Fatal(err)
	}
	j := m.open(m.options())
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.loseTPM(); err != nil {
		t.Fatal(err)
	}
	needRefusal(t, j.Exec(t.Context()), refusal.NoTPM, "does not answer any more")
}

// TestMeasuredElsewhere: a record that no PCR proves is no measurement of the
// target.
func TestMeasuredElsewhere(t *testing.T) {
	for index, want := range map[int]refusal.Name{11: "", 16: refusal.NotMeasured} {
		m := newMachine(t)
		for _, name := range []string{"kernel", "initrd"} {
			b, err := os.ReadFile(m.file(name))
			if err != nil {
				t.Fatal(err)
			}
			m.measureIn(index, m.file(name), b)
		}
		o := m.options()
		o.RequireMeasured = true
		_, err := m.open(o).Load(t.Context())
		needRefusal(t, err, want, "kernel is in no record")
	}
}

// TestLastLookElsewhere: the last look compares all PCRs that the list uses.
func TestLastLookElsewhere(t *testing.T) {
	for index, want := range map[int]refusal.Name{11: refusal.BankNotReplayable, 13: refusal.Other} {
		t.Run(fmt.Sprint("PCR ", index), func(t *testing.T) {
			m := newMachine(t)
			m.measureIn(11, "/bin/eleven", []byte("11"))
			j := m.open(m.options())
			if _, err := j.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.extendIn(index, []byte("foreign"))
			text := "jumped"
			if want != refusal.Other {
				text = "PCR 11: sha1 no match"
			}
			needRefusalOrJump(t, j.Exec(t.Context()), want, text)
		})
	}
}

// TestOtherTPM uses the TPM that IMA uses, says so, and says what it cannot read.
func TestOtherTPM(t *testing.T) {
	rename := func(to string) func(m *machine) error {
		return func(m *machine) error { return os.Rename(m.file(tpmDir), m.file("sys/class/tpm/"+to)) }
	}
	all := func(steps ...func(*machine) error) func(m *machine) error {
		return func(m *machine) error {
			for _, step := range steps {
				if err := step(m); err != nil {
					return err
				}
			}
			return nil
		}
	}
	tpm7 := func(m *machine) error { return os.MkdirAll(m.file("sys/class/tpm/tpm7/pcr-sha256"), 0o700) }
	onlySM3 := func(m *machine) error {
		if err := os.RemoveAll(m.file(tpmDir + "/pcr-sha1")); err != nil {
			return err
		}
		return os.Rename(m.file(tpmDir+"/pcr-sha256"), m.file(tpmDir+"/pcr-sm3"))
	}
	alsoSM3 := func(m *machine) error { return os.MkdirAll(m.file(tpmDir+"/pcr-sm3"), 0o700) }
	noFiles := func(m *machine) error {
		if err := os.RemoveAll(m.file(tpmDir)); err != nil {
			return err
		}
		return os.MkdirAll(m.file(tpmDir), 0o700)
	}
	tpm12 := func(m *machine) error {
		var lines strings.Builder
		for i := range 15 {
			fmt.Fprintf(&lines, "PCR-%02d: %s\n", i, strings.TrimSpace(fmt.Sprintf("% X", m.values[i][pcr.SHA1])))
		}
		if err := noFiles(m); err != nil {
			return err
		}
		return os.WriteFile(m.file(tpmDir+"/pcrs"), []byte(lines.String()), 0o600)
	}
	for _, tt := range []struct {
		name  string
		world func(m *machine) error
		want  refusal.Name
		text  string // of the refusal, or of the report
		said  string // in Options.Log and in the text for people
		json  string
	}{
		{"tpm0", nil, "", "match", "", `{"number":0}`},
		{"tpm1", rename("tpm1"), "", "match", "TPM: tpm1\n", `{"number":1}`},
		{"two", tpm7, "", "match", "TPM: tpm0, which IMA uses, and not tpm7\n", `{"number":0,"others":[7]}`},
		{"two, and the first is another", all(rename("tpm9"), tpm7), refusal.NoTPM, "tpm7", "", ""},
		{"only SM3", onlySM3, refusal.BankNotReplayable, "tpm0 has only banks that cannot be replayed here: [sm3]", "", ""},
		{"also SM3", alsoSM3, "", "sha256 match; not compared, since they cannot be replayed here: banks sm3", "", `{"number":0}`},
		{"no files of PCRs", noFiles, refusal.NoTPM, "tpm0: sysfs shows no PCRs", "", ""},
		{"TPM 1.2", tpm12, "", "PCR 10: sha1 match", "", `{"number":0}`},
		{"TPM 1.2 with another number", all(tpm12, rename("tpm3")), "", "PCR 10: sha1 match", "TPM: tpm3\n", `{"number":3}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			if tt.world != nil {
				if err := tt.world(m); err != nil {
					t.Fatal(err)
				}
			}
			o := m.options()
			var said strings.Builder
			o.Log = func(format string, args ...any) { fmt.Fprintf(&said, format+"\n", args...) }
			s, err := Read(t.Context(), o)
			if err == nil {
				err = s.Err()
			}
			needRefusal(t, err, tt.want, tt.text)
			if err != nil {
				return
			}
			var text strings.Builder
			if err := s.WriteText(&text); err != nil || !strings.Contains(text.String(), tt.text) || !strings.Contains(text.String(), tt.said) || said.String() != tt.said {
				t.Errorf("said %q, want %q; %v\n%s", said.String(), tt.said, err, text.String())
			}
			if b, err := json.Marshal(s.TPM); err != nil || string(b) != tt.json {
				t.Errorf("%s, %v", b, err)
			}
		})
	}
}
