// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package pcr

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in, want string
	}{
		{"sha1=1B1A27FB5586C8B87C8AD5F5F4D175366E21E7D1", ""},
		{"SHA1=0x1b1a27fb5586c8b87c8ad5f5f4d175366e21e7d1", ""},
		{"sha256=00", "sha256 has 32 bytes, 1 are given"},
		{"sha1", "is not ALG=HEX"},
		{"sm3=00", `algorithm "sm3" is unknown`},
		{"sha1=xy", "invalid byte"},
	} {
		_, err := Parse(tt.in)
		if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error %v, want %q", tt.in, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("sha1=1B1A27FB5586C8B87C8AD5F5F4D175366E21E7D1")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := Parse(s); err == nil && len(p.Value) != p.Algorithm.Size() {
			t.Errorf("%d bytes for %s", len(p.Value), p.Algorithm)
		}
	})
}
