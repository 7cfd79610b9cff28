// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/pcr"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' {
			return -1
		}
		return r
	}, s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bootAggregateLE is the first record of any kernel on a machine without a TPM.
const bootAggregateLE = `0a000000 1d8d532d463c9f8c205d0df7787669a85f93e260
06000000 696d612d6e67 31000000 1a000000 736861313a00
0000000000000000000000000000000000000000 0f000000 626f6f745f61676772656761746500`

// TestKnownRecords compares with values that other programs computed. The PCR
// is its value after that one record.
func TestKnownRecords(t *testing.T) {
	be := &builder{order: binary.BigEndian}
	be.raw(10, unhex(t, "7d7bd868e49f42e651c0020372397e4980ba11ab"), "ima-ng", be.ngData("sha1", make([]byte, 20), "boot_aggregate"))
	old := &builder{order: binary.LittleEndian}
	old.legacy(make([]byte, 20), "boot_aggregate")
	violation := &builder{order: binary.LittleEndian}
	violation.violation("/x")
	for _, tt := range []struct {
		name, sha1, sha256 string
		data               []byte
		ascii              string
	}{
		{
			"little-endian ima-ng", "75103fd9bb3bb21b28a3d2ddf0d2576bd7f7a17e",
			"c024930b2309f2c5f75d5cb2762e5d98779b98e6350cb0eb146c89e8a2bef96a",
			unhex(t, bootAggregateLE),
			"10 1d8d532d463c9f8c205d0df7787669a85f93e260 ima-ng sha1:0000000000000000000000000000000000000000 boot_aggregate",
		},
		{
			"big-endian ima-ng", "c94de87772f7989d8bba8cb44a5380dfbf86c1de",
			"b69735e17f6de9f0d6eb067cd9863aaf9bdf91dc8517b2fb4ed66f0e23692cc4",
			be.data,
			"10 7d7bd868e49f42e651c0020372397e4980ba11ab ima-ng sha1:0000000000000000000000000000000000000000 boot_aggregate",
		},
		{
			"old ima", "", "", old.data,
			"10 719de8e521439498e9b77f6ed41e230b9821111e ima 0000000000000000000000000000000000000000 boot_aggregate",
		},
		{
			"violation", "bac37b84f007d0238af95af707cac8d61254870e",
			"bba91ca85dc914b2ec3efb9e16e7267bf9193b14350d20fba8a8b406730ae30a",
			violation.data,
			"10 0000000000000000000000000000000000000000 ima-ng sha256:0000000000000000000000000000000000000000000000000000000000000000 /x",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := mustParse(t, tt.data)
			for r := range l.All {
				if got := r.ASCII(); got != tt.ascii {
					t.Errorf("ASCII %q, want %q", got, tt.ascii)
				}
			}
			var pcrs []pcr.Value
			if tt.sha1 != "" {
				pcrs = []pcr.Value{{Algorithm: pcr.SHA1, Value: unhex(t, tt.sha1)}, {Algorithm: pcr.SHA256, Value: unhex(t, tt.sha256)}}
			}
			want := Match
			if pcrs == nil {
				want = NoTPM
			}
			if report := Check(l, 10, pcrs); report.Verdict != want {
				t.Errorf("verdict %q (%s), want %q", report.Verdict, report.Text, want)
			}
		})
	}
}

func TestParseBothOrders(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		t.Run(order.String(), func(t *testing.T) {
			data := twoHops(order).data
			l := mustParse(t, data)
			if l.ByteOrder().String() != order.String() {
				t.Errorf("order %v", l.ByteOrder())
			}
			if l.Records() != 9 || l.Violations() != 1 || l.Trimmed() {
				t.Errorf("%d records, %d violations, trimmed %v", l.Records(), l.Violations(), l.Trimmed())
			}
			var joined []byte
			for r := range l.All {
				if r.Offset != len(joined) {
					t.Errorf("record %d at offset %d, want %d", r.Number, r.Offset, len(joined))
				}
				joined = append(joined, r.Raw...)
			}
			if diff := cmp.Diff(data, joined); diff != "" {
				t.Errorf("records are not the list: %s", diff)
			}
		})
	}
}

// TestTruncated cuts a list at every byte: each cut gives an error for the
// right record, or falls between two records.
func TestTruncated(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := twoHops(order)
		b.legacy(make([]byte, 20), "/bin/old")
		starts := map[int]int{len(b.data): 11}
		for r := range mustParse(t, b.data).All {
			starts[r.Offset] = r.Number
		}
		current := 0
		for n := range b.data {
			if number, ok := starts[n]; ok {
				current = number
				if _, err := Parse(b.data[:n]); err != nil {
					t.Errorf("cut at %d: %v", n, err)
				}
				continue
			}
			_, err := Parse(b.data[:n])
			var recordErr *RecordError
			if !errors.As(err, &recordErr) || recordErr.Record != current {
				t.Fatalf("cut at %d: error %v, want one in record %d", n, err, current)
			}
			if starts[recordErr.Offset] != current {
				t.Fatalf("cut at %d: offset %d is not that of record %d", n, recordErr.Offset, current)
			}
			// A list that is cut in its first words has no certain
			// byte order.
			if n >= 28 && !errors.Is(err, ErrTruncated) {
				t.Fatalf("cut at %d: %v, want %v", n, err, ErrTruncated)
			}
		}
	}
}

func TestCorrupt(t *testing.T) {
	put := func(off int, v uint32) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint32(b[off:], v) }
	}
	second := len(unhex(t, bootAggregateLE))
	for _, tt := range []struct {
		name string
		edit func([]byte)
		is   error
		want string
	}{
		{"PCR index", put(second, 24), ErrCorrupt, "record 2 at offset 87: list is corrupt: PCR index 24"},
		{"name length", put(second+24, 1<<31), ErrCorrupt, "record 2 at offset 87: list is corrupt: template name of 2147483648 bytes"},
		{"data length", put(second+34, 0xffffffff), ErrTruncated, "record 2 at offset 87: list is cut short: template data of 4294967295 bytes, but 49 are left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := unhex(t, bootAggregateLE+bootAggregateLE)
			tt.edit(b)
			_, err := Parse(b)
			if !errors.Is(err, tt.is) || err.Error() != tt.want {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestParseAny(t *testing.T) {
	for _, bank := range pcr.Algorithms {
		b := &builder{order: binary.LittleEndian, bank: bank}
		b.ng("boot_aggregate")
		b.violation("/x")
		b.ng("/y")
		l, err := ParseAny(b.data)
		if err != nil {
			t.Fatalf("%s: %v", bank, err)
		}
		if l.Records() != 3 || l.Violations() != 1 {
			t.Errorf("%s: %d records, %d violations", bank, l.Records(), l.Violations())
		}
		if n, unknown := firstTampered(l); n != 0 || unknown {
			t.Errorf("%s: record %d is tampered", bank, n)
		}
	}
	if _, err := ParseAny([]byte("no list, but long enough for a record of any of the digests' sizes, or so it seems to be")); err == nil {
		t.Error("no error")
	}
}

func TestIterationDoesNotAllocate(t *testing.T) {
	l := mustParse(t, twoHops(binary.LittleEndian).data)
	n := 0
	if got := testing.AllocsPerRun(100, func() {
		for r := range l.All {
			n += len(r.Data)
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
	if n == 0 {
		t.Error("no data seen")
	}
}

func FuzzParse(f *testing.F) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := twoHops(order)
		b.legacy(make([]byte, 20), "/old")
		b.raw(10, nil, "evm-sig", []byte("junk"))
		f.Add(b.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseAny(data)
		if err != nil {
			var recordErr *RecordError
			if !errors.As(err, &recordErr) || recordErr.Offset > len(data) {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		n := 0
		for r := range l.All {
			n += len(r.Raw)
			_ = r.ASCII()
			_ = r.Report()
		}
		if n != len(data) {
			t.Errorf("records have %d bytes of %d", n, len(data))
		}
		Check(l, 10, []pcr.Value{{Algorithm: pcr.SHA256, Value: make([]byte, 32)}})
		if b, err := l.Buffer(); err == nil {
			if _, err := ParseBuffer(b); err != nil {
				t.Errorf("own buffer: %v", err)
			}
		}
	})
}
