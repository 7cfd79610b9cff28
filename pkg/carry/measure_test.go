// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/internal/testing/softtpm"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
	"github.com/imaboot/imaboot/pkg/tpm"
)

// failing is a TPM that refuses its nth extend.
type failing struct {
	transport.TPM
	left int
}

func (f *failing) Send(b []byte) ([]byte, error) {
	if binary.BigEndian.Uint32(b[6:]) == uint32(tpm2.TPMCCPCRExtend) {
		if f.left--; f.left == 0 {
			return nil, errors.New("input/output error")
		}
	}
	return f.TPM.Send(b)
}

func measured(o *Options) { o.Measure = true }

// TestMeasure extends kernel, initrd and command line at the jump, hands on
// their log, and goes on where an attempt has failed.
func TestMeasure(t *testing.T) {
	m := newMachine(t)
	device := softtpm.New(t, "sha1,sha256")
	m.tpm = &failing{device, 2}
	o := m.options()
	o.Measure = true
	j := m.open(o)
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	untouched(t, device, true)
	needRefusal(t, j.Exec(t.Context()), refusal.NotExtended, "TPM2_PCR_Extend")
	if m.held != nil || m.jumped != nil {
		t.Error("it jumped, or stays loaded")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	untouched(t, device, false)

	// The log that was kept says more than was extended.
	m.tpm = device
	j = m.open(o)
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.measure("/bin/late", nil)
	needRefusalOrJump(t, j.Exec(t.Context()), refusal.Other, "jumped")
	if !bytes.Equal(carried(m.jumped), m.list) {
		t.Error("the list is not the one at the jump")
	}
	archive, ok := m.jumped.Segment(archdesc.SegmentArchive)
	if !ok || !bytes.Contains(archive.Data, []byte("kernel_cmdline: ima_canonical_fmt quiet\x00")) {
		t.Error("the event log does not travel")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	// Read explains both registers by the log.
	s, err := Read(t.Context(), m.options())
	if err != nil || s.Err() != nil {
		t.Fatal(err, s.Err())
	}
	// The kernel's event of the first try, and three of the second.
	var text strings.Builder
	if err := s.WriteText(&text); err != nil || !strings.Contains(text.String(), "event log: 4 events, ") || !strings.HasSuffix(text.String(), "PCR 10: sha1 match, sha256 match\n") {
		t.Errorf("%v:\n%s", err, text.String())
	}
	if s.Events == nil || s.Events.Events != 4 || len(s.Events.Registers) != 4 || len(s.Events.Aggregates) != 1 {
		t.Errorf("%+v", s.Events)
	}

	// Without Measure the log is handed on.
	j = m.open(m.options())
	r, err := j.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if archive, ok = r.Plan.Segment(archdesc.SegmentArchive); !ok || !bytes.Contains(archive.Data, []byte("kernel_cmdline")) {
		t.Error("the event log is not handed on")
	}
}

// TestMeasureAgain: the TPM fails at any of many events, twice. The third try goes
// on from what was extended, and its log explains both PCRs.
func TestMeasureAgain(t *testing.T) {
	const initrds = 20
	for _, fails := range [][2]int{{1, 1}, {1, 22}, {2, 22}, {22, 1}, {22, 22}, {12, 3}} {
		t.Run(fmt.Sprint(fails), func(t *testing.T) {
			m := newMachine(t)
			device := softtpm.New(t, "sha1,sha256")
			target, o := m.target(), m.options()
			for i := range initrds - 1 {
				name := m.file(fmt.Sprintf("initrd %d", i))
				if err := os.WriteFile(name, fmt.Appendf(nil, "\x1f\x8b %d", i), 0o600); err != nil {
					t.Fatal(err)
				}
				target.Initrds = append(target.Initrds, name)
			}
			o.Measure = true
			extended := 0
			for try := range 3 {
				m.tpm = device
				if try < len(fails) {
					m.tpm = &failing{device, fails[try]}
					extended += fails[try] - 1
				}
				j, err := Open(t.Context(), target, o)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := j.Load(t.Context()); err != nil {
					t.Fatal(err)
				}
				err = j.Exec(t.Context())
				if try < len(fails) {
					needRefusal(t, err, refusal.NotExtended, "TPM2_PCR_Extend")
				} else {
					needRefusalOrJump(t, err, refusal.Other, "jumped")
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			}
			m.tpm = device
			s, err := Read(t.Context(), m.options())
			if err != nil || s.Err() != nil {
				t.Fatal(err, s.Err())
			}
			// Kernel, initrds and command line.
			if want := extended + initrds + 2; s.Events.Events != want {
				t.Errorf("%d events, want %d", s.Events.Events, want)
			}
		})
	}
}

// untouched compares PCR 9 with that of a new TPM.
func untouched(t *testing.T, dev transport.TPM, want bool) {
	t.Helper()
	r, err := tpm.ReadDevice(dev, 9)
	if err != nil {
		t.Fatal(err)
	}
	if zero := len(bytes.Trim(r.PCRs[0].Value, "\x00")) == 0; zero != want {
		t.Errorf("PCR 9 is untouched: %v, want %v", zero, want)
	}
}

// TestMeasureRefused: nothing is extended, and nothing loaded.
func TestMeasureRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		world func(t *testing.T, m *machine, target *Target, o *Options)
		want  refusal.Name
		text  string
	}{
		{"no TPM 2.0", func(_ *testing.T, m *machine, _ *Target, _ *Options) { m.tpm = nil }, refusal.NoTPM, "a TPM 2.0 is needed"},
		{"no initrd for the log", func(_ *testing.T, _ *machine, target *Target, _ *Options) { target.Initrds = nil }, refusal.EventLogNotCarried, "unpacks no initramfs"},
		{"a damaged log", func(_ *testing.T, m *machine, _ *Target, _ *Options) { m.write(extendedFile, []byte("no log")) }, refusal.EventLogDamaged, "eventlog.extended"},
		{"a log in a place of others", func(t *testing.T, m *machine, _ *Target, _ *Options) {
			m.write(extendedFile, nil)
			if err := os.Chmod(m.file(runDir), 0o777); err != nil {
				t.Fatal(err)
			}
		}, refusal.EventLogDamaged, "others can write to it"},
		{"PCR 9 was extended by others, who left no log", func(t *testing.T, m *machine, _ *Target, _ *Options) {
			_, err := tpm2.PCRExtend{
				PCRHandle: tpm2.AuthHandle{Handle: 9, Auth: tpm2.PasswordAuth(nil)},
				Digests:   tpm2.TPMLDigestValues{Digests: []tpm2.TPMTHA{{HashAlg: tpm2.TPMAlgSHA256, Digest: make([]byte, 32)}}},
			}.Execute(m.tpm)
			if err != nil {
				t.Fatal(err)
			}
		}, refusal.EventLogUnexplained, "was extended before"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.tpm = softtpm.New(t, "sha1,sha256")
			target, o := m.target(), m.options()
			measured(&o)
			tt.world(t, m, &target, &o)
			j, err := Open(t.Context(), target, o)
			if err == nil {
				defer j.Close()
				_, err = j.Load(t.Context())
			}
			needRefusal(t, err, tt.want, tt.text)
			if m.loads != 0 {
				t.Errorf("%d loads", m.loads)
			}
		})
	}
}

// TestMeasureFirmware: a firmware that extended PCR 9 left a log of one format or
// another.
func TestMeasureFirmware(t *testing.T) {
	digests := map[pcr.Algorithm][]byte{pcr.SHA1: pcr.SHA1.Sum([]byte("file")), pcr.SHA256: pcr.SHA256.Sum([]byte("file"))}
	old := func() []byte {
		var b []byte
		add := func(index, kind uint32, digest []byte, data string) {
			b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, index), kind)
			b = append(b, digest...)
			b = append(binary.LittleEndian.AppendUint32(b, uint32(len(data))), data...)
		}
		add(0xffffffff, 3, make([]byte, 20), "Spec ID Event02\x00")
		add(9, 0xd, digests[pcr.SHA1], "grubenv")
		return b
	}()
	agile := func(lost ...pcr.Algorithm) []byte {
		event, err := eventlog.New([]pcr.Algorithm{pcr.SHA256, pcr.SHA1}).File("grubenv", []byte("file"))
		if err != nil {
			t.Fatal(err)
		}
		ids := map[pcr.Algorithm]uint16{pcr.SHA1: 4, pcr.SHA256: 0xb}
		event.Digests = slices.DeleteFunc(event.Digests, func(d eventlog.Digest) bool {
			return slices.ContainsFunc(lost, func(a pcr.Algorithm) bool { return ids[a] == d.ID })
		})
		return eventlog.New([]pcr.Algorithm{pcr.SHA1, pcr.SHA256}).With(event).Bytes()
	}
	for _, tt := range []struct {
		name, banks string
		log         []byte
		want        refusal.Name
		text        string
	}{
		{"the older format, one bank", "sha1", old, "", ""},
		{"the older format, two banks", "sha1,sha256", old, refusal.EventLogUnexplained, "sha256: the log is of the older format, which has SHA-1 digests only"},
		{"another order", "sha1,sha256", agile(), "", ""},
		{"a digest is missing", "sha1,sha256", agile(pcr.SHA256), refusal.EventLogUnexplained, "sha256: event 1 extends PCR 9 without such a digest"},
		{"no log", "sha1,sha256", nil, refusal.EventLogUnexplained, "tpm0/binary_bios_measurements"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			device := softtpm.New(t, tt.banks)
			m.tpm = device
			banks := map[pcr.Algorithm][]byte{}
			for name := range strings.SplitSeq(tt.banks, ",") {
				banks[pcr.Algorithm(name)] = digests[pcr.Algorithm(name)]
			}
			if err := tpm.Extend(device, 9, banks); err != nil {
				t.Fatal(err)
			}
			if tt.log != nil {
				fileroot.Add(t, m.root, map[string]string{"sys/kernel/security/tpm0/binary_bios_measurements": string(tt.log)})
			}
			o := m.options()
			o.Measure = true
			j, err := Open(t.Context(), m.target(), o)
			needRefusal(t, err, tt.want, tt.text)
			if err != nil {
				return
			}
			defer j.Close()
			if _, err := j.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			needRefusalOrJump(t, j.Exec(t.Context()), refusal.Other, "jumped")
			handed, err := eventlog.Parse(j.events)
			if err != nil || handed.Old || len(handed.Events) < 4 {
				t.Fatalf("the log that travels: %v", err)
			}
			if err := explained(device, handed); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestReadDamagedLog: a damaged event log is no damaged list.
func TestReadDamagedLog(t *testing.T) {
	m := newMachine(t)
	m.tpm = softtpm.New(t, "sha1,sha256")
	m.write(extendedFile, []byte(strings.Repeat("x", 100)))
	s, err := Read(t.Context(), m.options())
	if err != nil {
		t.Fatal(err)
	}
	needRefusal(t, s.Err(), refusal.EventLogDamaged, "eventlog.extended")
}
