// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/hex"
	"testing"
)

// TestNarrow asks for windows that are as large as needed, and no larger than the
// file says.
func TestNarrow(t *testing.T) {
	const (
		debian612 = "28b52ffd04888404"                                   // 128 MiB
		single    = "28b52ffda0aabbccdd00"                               // a window as large as the content
		debian61  = "fd377a585a0000016922de360201040021011a0001c980b3ff" // 32 MiB, behind the filter for x86
		alpine    = "5d00000004ffffffffffffffff00"                       // 64 MiB
	)
	for _, tt := range []struct {
		name   string
		narrow func([]byte, int) []byte
		in     string
		window int
		want   string
	}{
		{"zstd", narrowZstd, debian612, 30 << 20, "28b52ffd0477"}, // 30 MiB = 16 MiB * 15/8
		{"zstd, a byte more", narrowZstd, debian612, 30<<20 + 1, "28b52ffd0478"},
		{"zstd, tiny", narrowZstd, debian612, 1, "28b52ffd0400"},
		{"zstd, too large", narrowZstd, debian612, 1 << 30, "28b52ffd0488"},
		{"zstd of one segment", narrowZstd, single, 1, ""},
		{"zstd cut short", narrowZstd, debian612[:10], 1, ""},
		{"lzma", narrowLZMA, alpine, 1 << 20, "5d00001000ffffffffffffffff"},
		{"lzma, too large", narrowLZMA, alpine, 1 << 30, "5d00000004ffffffffffffffff"},
		{"lzma cut short", narrowLZMA, alpine[:20], 1, ""},
		{"xz, 24 MiB", narrowXZ, debian61, 20 << 20, "fd377a585a0000016922de360201040021011900c29aad98"},
		{"xz, too large", narrowXZ, debian61, 1 << 30, debian61[:48]},
		{"xz cut in the header", narrowXZ, debian61[:40], 1, ""},
		{"xz with sizes", narrowXZ, "fd377a585a0000016922de3602c10400210100000000000000", 1, ""},
		{"xz with filters beyond the header", narrowXZ, "fd377a585a0000016922de36010304ff21000000000000", 1, ""},
	} {
		in, err := hex.DecodeString(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		before := string(in)
		if got := hex.EncodeToString(tt.narrow(in, tt.window)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if string(in) != before {
			t.Errorf("%s: the input was changed", tt.name)
		}
	}
}
