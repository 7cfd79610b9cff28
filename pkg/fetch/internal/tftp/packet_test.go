// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tftp

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequest(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options bool
		want    string
	}{
		{"boot/vmlinuz", false, "\x00\x01boot/vmlinuz\x00octet\x00"},
		{"a", true, "\x00\x01a\x00octet\x00tsize\x000\x00blksize\x001428\x00windowsize\x0064\x00"},
		{strings.Repeat("x", 503), false, "\x00\x01" + strings.Repeat("x", 503) + "\x00octet\x00"},
		{strings.Repeat("x", 504), false, ""},
		{"", false, ""},
		{"a\x00b", false, ""},
	} {
		got, err := request(tt.name, tt.options)
		if string(got) != tt.want || (err != nil) != (tt.want == "") || err != nil && !errors.Is(err, ErrName) {
			t.Errorf("request(%q, %v) = %q, %v, want %q", tt.name, tt.options, got, err, tt.want)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]packet{
		"\x00\x03\x01\x02abc":     {op: opData, block: 0x102, data: []byte("abc")},
		"\x00\x03\x00\x01":        {op: opData, block: 1},
		"\x00\x06tsize\x005\x00":  {op: opOack, data: []byte("tsize\x005\x00")},
		"\x00\x06":                {op: opOack},
		"\x00\x05\x00\x01no\x00x": {op: opError, err: &Error{1, "no"}},
		"\x00\x05\xff\xff":        {op: opError, err: &Error{0xffff, ""}},
	} {
		got, err := parse([]byte(text))
		if len(got.data) == 0 {
			got.data = nil
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(packet{})); diff != "" || err != nil {
			t.Errorf("parse(%q): %v, %s", text, err, diff)
		}
	}
	for _, text := range []string{"", "\x00", "\x00\x03\x00", "\x00\x05\x00", "\x00\x01x\x00octet\x00", "\x00\x04\x00\x01", "\x03\x00\x00\x01"} {
		if got, err := parse([]byte(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("parse(%q) = %+v, %v", text, got, err)
		}
	}
}

func TestParseOptions(t *testing.T) {
	for text, want := range map[string]options{
		"": plain,
		"blksize\x001428\x00windowsize\x0064\x00tsize\x00700\x00": {1428, 64, 700},
		"BlkSize\x008\x00":                 {8, 1, -1},
		"tsize\x000\x00":                   plain,
		"tsize\x009223372036854775807\x00": {512, 1, 1<<63 - 1},
	} {
		if got, err := parseOptions([]byte(text)); err != nil || got != want {
			t.Errorf("parseOptions(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"\x00", "blksize", "blksize\x00", "blksize\x001024", "\x00\x00", "blksize\x00\x00",
		"blksize\x007\x00", "blksize\x001429\x00", "blksize\x00-8\x00", "blksize\x00+8\x00", "blksize\x00 8\x00",
		"windowsize\x000\x00", "windowsize\x0065\x00", "tsize\x00-1\x00", "tsize\x009223372036854775808\x00",
		"timeout\x001\x00", "tsize\x001\x00TSIZE\x001\x00", "\x00\x00\x00\x00",
	} {
		if got, err := parseOptions([]byte(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("parseOptions(%q) = %+v, %v", text, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "\x00\x03\x00\x01x", "\x00\x05\x00\x01no\x00", "\x00\x06tsize\x005\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parse(b)
		if err != nil {
			return
		}
		if (p.err != nil) != (p.op == opError) || len(p.data) > len(b) || p.err != nil && len(p.err.Message) > 200 {
			t.Errorf("parse(%q) = %+v", b, p)
		}
	})
}

func FuzzParseOptions(f *testing.F) {
	for _, s := range []string{"", "blksize\x001428\x00windowsize\x0064\x00tsize\x00700\x00", "tsize\x000\x00", "a\x00b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := parseOptions(b)
		if o.block < 8 || o.block > wantedBlock || o.window < 1 || o.window > wantedWindow || o.size < -1 || err != nil && o != plain {
			t.Errorf("parseOptions(%q) = %+v, %v", b, o, err)
		}
	})
}
