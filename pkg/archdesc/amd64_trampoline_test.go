// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"testing"
)

func TestAMD64TrampolineSource(t *testing.T) {
	checkAssembled(t, "amd64", "x86_64-linux-gnu-", amd64Code)
}

// TestAMD64Trampoline checks that both literals are free to be written, and that
// code and stack fit into a page.
func TestAMD64Trampoline(t *testing.T) {
	const literals, stack = 16, 64
	code := amd64Trampoline(0x1122334455667788, 0x99aabbccddeeff00)
	if len(code) != len(amd64Code) || len(code) > amd64Page-stack {
		t.Errorf("%d bytes", len(code))
	}
	at := len(code) - literals
	for i, want := range []uint64{0x1122334455667788, 0x99aabbccddeeff00} {
		if got := binary.LittleEndian.Uint64(code[at+8*i:]); got != want {
			t.Errorf("literal %d: %#x, want %#x", i, got, want)
		}
		if got := binary.LittleEndian.Uint64(amd64Code[at+8*i:]); got != 0 {
			t.Errorf("literal %d is %#x before it is written", i, got)
		}
	}
}
