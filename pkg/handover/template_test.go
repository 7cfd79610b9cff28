// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/binary"
	"testing"
)

// TestASCII prints every format of a field as the kernel does.
func TestASCII(t *testing.T) {
	b := &builder{order: binary.BigEndian}
	join := func(fields ...[]byte) (data []byte) {
		for _, f := range fields {
			data = append(data, b.field(f)...)
		}
		return data
	}
	digest := append([]byte("sha1:\x00"), make([]byte, 20)...)
	zero20 := "0000000000000000000000000000000000000000"
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"ima-ng", join(digest, []byte("/bin/a\x00")), "ima-ng sha1:" + zero20 + " /bin/a"},
		{"ima-sig", join(digest, []byte("/bin/a\x00"), nil), "ima-sig sha1:" + zero20 + " /bin/a "},
		{"ima-sig", join(digest, []byte("/bin/a\x00"), []byte{3, 2, 4}), "ima-sig sha1:" + zero20 + " /bin/a 030204"},
		{"ima-buf", join(digest, []byte("kexec-cmdline\x00"), []byte("abc")), "ima-buf sha1:" + zero20 + " kexec-cmdline 616263"},
		{"ima-ngv2", join(append([]byte("verity:sha1:\x00"), make([]byte, 20)...), []byte("/v\x00")), "ima-ngv2 verity:sha1:" + zero20 + " /v"},
		{"ima-modsig", join(digest, []byte("/m\x00"), nil, nil, []byte{0xff}), "ima-modsig sha1:" + zero20 + " /m   ff"},
		{
			"evm-sig", join(digest, []byte("/e\x00"), nil, []byte("a|b\x00"), []byte{0, 0, 0, 1}, []byte("x"), []byte{0, 0, 3, 232}, []byte{0, 0, 0, 0}, []byte{0x81, 0xa4}),
			"evm-sig sha1:" + zero20 + " /e  a|b 00000001 78 1000 0 33188",
		},
		{"d|n", join(make([]byte, 20), []byte("/c\x00")), "d|n " + zero20 + " /c"},
		{"n-ng|d-ng", join([]byte("/r\x00"), digest), "n-ng|d-ng /r sha1:" + zero20},
		{"mystery", []byte{1, 2}, "mystery 0102"},
		{"ima-ng", []byte{1, 2}, "ima-ng 0102"},
	} {
		b.data = nil
		b.raw(10, make([]byte, 20), tt.name, tt.data)
		for r := range mustParse(t, b.data).All {
			if got, want := r.ASCII(), "10 "+zero20+" "+tt.want; got != want {
				t.Errorf("%s: %q, want %q", tt.name, got, want)
			}
		}
	}
}

// TestDigestWithOddBytes: the digest begins after the first NUL and may contain
// any byte.
func TestDigestWithOddBytes(t *testing.T) {
	algorithm, digest, ok := splitDigest([]byte("sha1:\x00:\x00rest"))
	if !ok || algorithm != "sha1" || string(digest) != ":\x00rest" {
		t.Errorf("%q, %q, %v", algorithm, digest, ok)
	}
	for _, bad := range []string{"", "sha1", "\x00", "sha1\x00"} {
		if _, _, ok := splitDigest([]byte(bad)); ok {
			t.Errorf("%q is a digest", bad)
		}
	}
}

func TestBootAggregate(t *testing.T) {
	for _, tt := range []struct {
		name string
		want bool
	}{{"boot_aggregate", true}, {"boot_aggregate_late", true}, {"/boot_aggregate", false}, {"", false}} {
		b := &builder{order: binary.LittleEndian}
		b.ng(tt.name)
		b.legacy(make([]byte, 20), tt.name)
		for r := range mustParse(t, b.data).All {
			if got := r.BootAggregate(); got != tt.want {
				t.Errorf("%q in %s: %v", tt.name, r.Name, got)
			}
		}
	}
}
