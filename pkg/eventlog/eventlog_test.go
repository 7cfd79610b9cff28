// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package eventlog

import (
	"bytes"
	"crypto"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-eventlog/extract"
	"github.com/google/go-eventlog/register"
	"github.com/google/go-eventlog/tcg"

	"github.com/imaboot/imaboot/pkg/pcr"
)

const cmdline = "console=hvc0 root=/dev/sda"

// sample makes a log of a kernel, an initrd and a command line.
func sample(t testing.TB, banks ...pcr.Algorithm) *Log {
	t.Helper()
	l := New(banks)
	var events []Event
	add := func(e Event, err error) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	add(l.File("/boot/vmlinux", []byte("kernel")))
	add(l.CommandLine(cmdline))
	add(l.File("/boot/initrd", []byte("initrd")))
	// Events are added in two steps, as two stages would.
	return l.With(events[0]).With(events[1:]...)
}

// TestForeign: a parser of another project reads the log, replays it, and finds
// what GRUB would have written.
func TestForeign(t *testing.T) {
	l := sample(t, pcr.Algorithms...)
	for alg, hash := range map[pcr.Algorithm]crypto.Hash{
		pcr.SHA1: crypto.SHA1, pcr.SHA256: crypto.SHA256, pcr.SHA384: crypto.SHA384,
	} {
		var mrs []register.MR
		for _, index := range []int{StringPCR, FilePCR} {
			value, err := l.Replay(index, alg, len(l.Events))
			if err != nil {
				t.Fatal(err)
			}
			mrs = append(mrs, register.PCR{Index: index, Digest: value, DigestAlg: hash})
		}
		events, err := tcg.ParseAndReplay(l.Bytes(), mrs, tcg.ParseOpts{})
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		grub, err := extract.GrubStateFromTPMLog(hash, events)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if len(grub.Files) != 2 || string(grub.Files[0].UntrustedFilename) != "/boot/vmlinux\x00" {
			t.Errorf("%s: files %v", alg, grub.Files)
		}
		kernel, err := extract.LinuxKernelStateFromGRUB(grub)
		if err != nil || kernel.CommandLine != cmdline+"\x00" {
			t.Errorf("%s: command line %q, %v", alg, kernel.GetCommandLine(), err)
		}
		// With another value, that parser finds no match.
		mrs[0] = register.PCR{Index: StringPCR, Digest: make([]byte, alg.Size()), DigestAlg: hash}
		if _, err := tcg.ParseAndReplay(l.Bytes(), mrs, tcg.ParseOpts{}); err == nil {
			t.Errorf("%s: a wrong PCR is accepted", alg)
		}
	}
}

func TestParse(t *testing.T) {
	l := sample(t, pcr.SHA1, pcr.SHA512)
	got, err := Parse(l.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l.Events, got.Events); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]pcr.Algorithm{pcr.SHA1, pcr.SHA512}, got.Banks()); diff != "" {
		t.Error(diff)
	}
	// A parsed log can be extended, and itself stays unchanged.
	e, err := got.File("next", []byte("next"))
	if err != nil {
		t.Fatal(err)
	}
	if longer := got.With(e); !bytes.HasPrefix(longer.Bytes(), l.Bytes()) || len(got.Events) != 3 || len(longer.Events) != 4 {
		t.Errorf("%d events became %d", len(got.Events), len(longer.Events))
	}
	if _, err := got.Replay(FilePCR, pcr.SHA256, 1); !errors.Is(err, ErrBank) {
		t.Errorf("a bank that is not there: %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	good := sample(t, pcr.SHA1).Bytes()
	first := oldHeader + int(order.Uint32(good[oldHeader-4:]))
	with := func(offset int, b ...byte) []byte {
		out := bytes.Clone(good)
		copy(out[offset:], b)
		return out
	}
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "header: 32 bytes are needed, 0 are left"},
		{"type of the header", with(4, 5), "not in the crypto-agile format"},
		{"signature", with(oldHeader, 'X'), "event 2 at offset 65: 2955176463 bytes are needed"},
		{"no banks", with(oldHeader+24, 0), "0 banks"},
		{"many banks", with(oldHeader+24, 0xff, 0xff), "65535 banks"},
		{"size of a bank", with(oldHeader+30, 21), "have 21 bytes"},
		{"size of the header", with(oldHeader-4, 0xff, 0xff, 0xff, 0xff), "are needed"},
		{"PCR", with(first, 24), "event 1 at offset 65: PCR 24"},
		{"number of digests", with(first+8, 2), "2 digests, the log has 1 banks"},
		{"bank", with(first+12, 0x0b), "digest of algorithm 0xb, which the header does not have"},
		{"garbage", bytes.Repeat([]byte("x"), 100), `event 1 at offset 0: PCR 2021161080 (it was read in the older format, since it begins with no "Spec ID Event03")`},
		{"size of the data", with(first+34, 0xff, 0xff, 0xff, 0x7f), "2147483647 bytes are needed"},
		{"cut", good[:len(good)-1], "event 3"},
		{"padded", append(bytes.Clone(good), 0, 0), "event 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.data)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// odd logs are those of real firmware that are whole all the same.
func oddLogs(t testing.TB) map[string][]byte {
	digest := func(a pcr.Algorithm) Digest { return Digest{ids[a], a.Sum([]byte(a))} }
	firmware := Event{PCR: 4, Type: 0x80000003, Data: []byte("firmware")}
	other, fewer, none := firmware, firmware, firmware
	other.Digests = []Digest{digest(pcr.SHA256), digest(pcr.SHA1)}
	fewer.Digests = []Digest{digest(pcr.SHA256)}
	free := Event{PCR: 0xffffffff, Type: evNoAction, Digests: other.Digests, Data: []byte("StartupLocality\x00\x03")}
	l := sample(t, pcr.SHA1, pcr.SHA256)
	two := []pcr.Algorithm{pcr.SHA1, pcr.SHA256}
	loader := fewer
	loader.PCR = FilePCR
	var old []byte
	oldEvent := func(index, kind uint32, digest, data []byte) {
		old = order.AppendUint32(order.AppendUint32(old, index), kind)
		old = append(old, digest...)
		old = append(order.AppendUint32(old, uint32(len(data))), data...)
	}
	oldEvent(0xffffffff, evNoAction, make([]byte, 20), []byte("Spec ID Event02\x00"))
	for _, e := range sample(t, pcr.SHA1).Events {
		oldEvent(uint32(e.PCR), e.Type, e.Digests[0].Value, e.Data)
	}
	return map[string][]byte{
		"other order":       New(two).With(append([]Event{other}, l.Events...)...).Bytes(),
		"fewer digests":     New(two).With(append([]Event{fewer, none}, l.Events...)...).Bytes(),
		"of no register":    New(two).With(append([]Event{free}, l.Events...)...).Bytes(),
		"a digest is lost":  New(two).With(append(slices.Clip(l.Events), loader)...).Bytes(),
		"older format":      old,
		"older, no Spec ID": old[oldHeader+16:],
	}
}

// TestOdd: logs of real firmware are taken as far as a replay needs them.
func TestOdd(t *testing.T) {
	l := sample(t, pcr.SHA1, pcr.SHA256)
	for name, data := range oddLogs(t) {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			old := strings.HasPrefix(name, "older")
			if got.Old != old || !bytes.Equal(got.Bytes(), data) {
				t.Errorf("old: %v; %d bytes, want %d", got.Old, len(got.Bytes()), len(data))
			}
			for _, a := range []pcr.Algorithm{pcr.SHA1, pcr.SHA256} {
				want, err := l.Replay(FilePCR, a, len(l.Events))
				if err != nil {
					t.Fatal(err)
				}
				value, err := got.Replay(FilePCR, a, len(got.Events))
				switch {
				case a == pcr.SHA256 && old:
					if !errors.Is(err, ErrBank) || !strings.Contains(err.Error(), "older format, which has SHA-1 digests only") {
						t.Errorf("%s: %v", a, err)
					}
				case a == pcr.SHA1 && name == "a digest is lost":
					if !errors.Is(err, ErrBank) || !strings.Contains(err.Error(), "event 4 extends PCR 9 without such a digest") {
						t.Errorf("%s: %v", a, err)
					}
				case name != "a digest is lost" && (err != nil || !bytes.Equal(value, want)):
					t.Errorf("%s: %x, want %x: %v", a, value, want, err)
				}
			}
			// What follows is written in the crypto-agile format.
			e, err := got.File("next", []byte("next"))
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse(got.With(e).Bytes())
			if err != nil || again.Old || len(again.Events) != len(got.Events)+1 {
				t.Errorf("with an event more: %v", err)
			}
			if n := len(got.Events); !bytes.Equal(got.First(n).Bytes(), data) || len(got.First(0).Bytes()) > len(data) {
				t.Error("First has other bytes")
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample(f, pcr.SHA1).Bytes())
	f.Add(sample(f, pcr.Algorithms...).Bytes())
	for _, data := range oddLogs(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse(data)
		if err != nil {
			return
		}
		// Writing the parsed events again gives the same bytes.
		got := l.First(0).With(l.Events...)
		if !l.Old && !bytes.Equal(got.Bytes(), data) {
			t.Errorf("written again: %x, was %x", got.Bytes(), data)
		}
		if again, err := Parse(got.Bytes()); err != nil || !cmp.Equal(again.Events, l.Events) {
			t.Errorf("read again: %v", err)
		}
		if len(l.First(0).Bytes()) > len(data) {
			t.Error("the header is longer than the log")
		}
		for _, a := range l.Banks() {
			if _, err := l.Replay(FilePCR, a, len(l.Events)); err != nil && !errors.Is(err, ErrBank) {
				t.Error(err)
			}
		}
	})
}
