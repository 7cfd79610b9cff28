// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
)

func TestBuffer(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		l := mustParse(t, twoHops(order).data)
		b, err := l.Buffer()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b[HeaderSize:], l.Bytes()) {
			t.Error("records are not the list")
		}
		// A segment is larger than the buffer in it.
		got, err := ParseBuffer(append(b, make([]byte, 4096)...))
		if err != nil {
			t.Fatal(err)
		}
		if got.Records() != l.Records() {
			t.Errorf("%d records, want %d", got.Records(), l.Records())
		}
	}
	// The header of a buffer of 362 records and 49328 bytes, as the kernel
	// writes it.
	var h [HeaderSize]byte
	binary.LittleEndian.PutUint16(h[hdrVersion:], 1)
	binary.LittleEndian.PutUint64(h[hdrSize:], 49328+HeaderSize)
	binary.LittleEndian.PutUint64(h[hdrCount:], 362)
	if want := unhex(t, "01000000 00000000 c8c0000000000000 6a01000000000000"); !bytes.Equal(h[:], want) {
		t.Errorf("header % x, want % x", h, want)
	}
}

func TestParseBufferBad(t *testing.T) {
	good, err := mustParse(t, twoHops(binary.LittleEndian).data).Buffer()
	if err != nil {
		t.Fatal(err)
	}
	put := func(off int, v uint64) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[off:], v); return b }
	}
	for _, tt := range []struct {
		name string
		edit func([]byte) []byte
		want string
	}{
		{"short", func(b []byte) []byte { return b[:23] }, "the header has 24"},
		{"version", put(hdrVersion, 2), "version"},
		{"size beyond", put(hdrSize, uint64(len(good))+1), "size is"},
		{"size without header", put(hdrSize, uint64(len(good))-HeaderSize), "cut short"},
		{"count is one more", put(hdrCount, 10), "count is 10, but there are 9"},
		{"count is one less", put(hdrCount, 8), "count is 8, but there are 9"},
		{"count is the highest", put(hdrCount, math.MaxUint64), "count"},
		{"other byte order", func(b []byte) []byte {
			binary.BigEndian.PutUint16(b, 1)
			binary.BigEndian.PutUint64(b[hdrSize:], uint64(len(b)))
			binary.BigEndian.PutUint64(b[hdrCount:], 9)
			return b
		}, "header is BigEndian, records are LittleEndian"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseBuffer(tt.edit(slices.Clone(good)))
			if !errors.Is(err, ErrBuffer) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %v with %q", err, ErrBuffer, tt.want)
			}
		})
	}
}

// TestCannotCarry lists what the next kernel would drop or silently change.
func TestCannotCarry(t *testing.T) {
	for _, tt := range []struct {
		name string
		add  func(*builder)
		want string
	}{
		{"old template", func(b *builder) { b.legacy(make([]byte, 20), "/x") }, "old template ima"},
		{"its format", func(b *builder) { b.raw(10, nil, "d|n", nil) }, "d|n"},
		{"long name", func(b *builder) { b.raw(10, nil, strings.Repeat("d|", 34)+"d", nil) }, "69 bytes, the next kernel takes 68"},
		{"unknown template", func(b *builder) { b.raw(10, nil, "ima-new", nil) }, "silently drop"},
		{"too many fields", func(b *builder) { b.raw(10, nil, strings.Repeat("d|", 15)+"d", nil) }, "16 fields"},
		{"field missing", func(b *builder) { b.raw(10, nil, "ima-ng", b.field([]byte("x"))) }, "field 2"},
		{"field too long", func(b *builder) { b.raw(10, nil, "ima-ng", []byte{0xff, 0xff, 0xff, 0xff, 0}) }, "field 1"},
		{"data behind", func(b *builder) {
			b.raw(10, nil, "ima-ng", append(b.ngData("sha1", make([]byte, 20), "/x"), 0))
		}, "1 bytes after"},
		{"zero digest", func(b *builder) {
			b.raw(10, make([]byte, 20), "ima-ng", b.ngData("sha1", bytes.Repeat([]byte{1}, 20), "/x"))
		}, "would turn it into a violation"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := twoHops(binary.LittleEndian)
			tt.add(b)
			_, err := mustParse(t, b.data).Buffer()
			var recordErr *RecordError
			if !errors.As(err, &recordErr) || recordErr.Record != 10 || !errors.Is(err, ErrCannotCarry) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one of record 10 with %q", err, tt.want)
			}
		})
	}
	if _, err := mustParse(t, nil).Buffer(); !errors.Is(err, ErrCannotCarry) {
		t.Errorf("empty list: error %v", err)
	}
	other := &builder{order: binary.LittleEndian, bank: pcr.SHA256}
	other.ng("boot_aggregate")
	l, err := ParseAny(other.data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Buffer(); !errors.Is(err, ErrCannotCarry) {
		t.Errorf("list of another bank: error %v", err)
	}
}

func FuzzParseBuffer(f *testing.F) {
	b, err := mustParse(f, twoHops(binary.BigEndian).data).Buffer()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := ParseBuffer(b); err == nil && len(l.Bytes()) > len(b)-HeaderSize {
			t.Errorf("%d bytes of records in %d", len(l.Bytes()), len(b))
		}
	})
}

func TestRenamed(t *testing.T) {
	for name, want := range map[string]bool{"ima-ng": false, "d-ng|n-ng": true, "d-ng|n-ng|iuid": false} {
		b := &builder{order: binary.LittleEndian}
		b.raw(10, nil, name, []byte("data"))
		if got := mustParse(t, b.data).Renamed(); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
