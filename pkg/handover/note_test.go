// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
)

func testNote(t testing.TB, l *List) *Note {
	t.Helper()
	p, err := pcr.Parse("sha1=" + strings.Repeat("5a", 20))
	if err != nil {
		t.Fatal(err)
	}
	return NewNote(l, ByInitramfs, "9.8.7-test", false, 10, []pcr.Value{p})
}

func FuzzParseNote(f *testing.F) {
	l, err := Parse(twoHops(binary.LittleEndian).data)
	if err != nil {
		f.Fatal(err)
	}
	b, err := json.Marshal(testNote(f, l))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version": 2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseNote(b)
		if err != nil {
			if !errors.Is(err, ErrCarriedDamaged) && !errors.Is(err, ErrCarriedVersion) {
				t.Error(err)
			}
			return
		}
		_ = n.Token()
		if _, err := n.check(l.Bytes()); err != nil && !errors.Is(err, ErrCarriedDamaged) {
			t.Error(err)
		}
	})
}

func TestParam(t *testing.T) {
	n := &Note{SHA256: strings.Repeat("0123456789abcdef", 4)}
	for _, tt := range []struct{ in, want string }{
		{"", "imaboot.list=0123456789abcdef"},
		{"quiet\timaboot.list=fedcba9876543210\tsplash", "imaboot.list=0123456789abcdef quiet\tsplash"},
		{`x="a  imaboot.liste=b" "imaboot.list=c d"`, `imaboot.list=0123456789abcdef x="a  imaboot.liste=b"`},
		{"quiet -- arg", "imaboot.list=0123456789abcdef quiet -- arg"},
		{"quiet imaboot.list=fedcba9876543210 x='a  b'", "imaboot.list=0123456789abcdef quiet x='a  b'"},
	} {
		got := n.WithParam(tt.in)
		token, err := Token(got)
		if got != tt.want || token != n.Token() || err != nil {
			t.Errorf("%q: %q, %q, %v, want %q", tt.in, got, token, err, tt.want)
		}
	}
}

// TestToken: two lists on one command line are refused, however the words of a
// bootconfig stand in front of the sender's.
func TestToken(t *testing.T) {
	for _, tt := range []struct {
		line, want string
		foreign    bool
	}{
		{"quiet", "", false},
		{"imaboot.list=", "", false},
		{"quiet imaboot.list=a1 -- arg", "a1", false},
		{"imaboot.list=a1 imaboot.list=a1\n", "a1", false},
		{`"imaboot.list=a1" imaboot.list="a1"`, "a1", false},
		{"imaboot.list=a1 root=/dev/sda imaboot.list=b2", "", true},
		{"imaboot.list=a1 imaboot.list=", "", true},
		{"imaboot.list= imaboot.list=a1", "", true},
		{`imaboot.list=a1 x="y"z" imaboot.list=b2 quiet`, "", true},
		{"imaboot.list=a1 -- imaboot.list=b2", "", true},
		{"-- imaboot.list=b2", "b2", false},
		{"imaboot.list=a1\timaboot.list=a10", "", true},
	} {
		got, err := Token(tt.line)
		if got != tt.want || errors.Is(err, ErrCarriedForeign) != tt.foreign || !tt.foreign && err != nil {
			t.Errorf("%q: %q, %v", tt.line, got, err)
		}
	}
}

// TestRestored checks the note of a list that the kernel was to restore.
func TestRestored(t *testing.T) {
	sent := mustParse(t, twoHops(binary.LittleEndian).data)
	note := testNote(t, sent)
	note.Carrier = ByKernel
	b, err := sent.Archive(note, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte(listFile)) {
		t.Error("the archive holds the list")
	}
	own := &builder{order: binary.LittleEndian}
	own.ng("boot_aggregate")
	own.ng("/own")
	changed := bytes.Clone(sent.Bytes())
	changed[len(changed)-2] ^= 1
	for _, tt := range []struct {
		name string
		list []byte
		want error
	}{
		{"restored", append(bytes.Clone(sent.Bytes()), own.data...), nil},
		{"nothing arrived", own.data, ErrCarriedLost},
		{"nothing measured since", sent.Bytes(), ErrCarriedLost},
		{"changed", append(changed, own.data...), ErrCarriedDamaged},
	} {
		if err := note.Restored(mustParse(t, tt.list)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}

	root := carriedRoot(t, CarriedDir, sent, note)
	if err := os.Remove(filepath.Join(root, CarriedDir, listFile)); err != nil {
		t.Fatal(err)
	}
	c, err := ReadCarried(root)
	if err != nil || c.List != nil || c.Note.Records != sent.Records() {
		t.Errorf("%+v, %v", c, err)
	}
}
