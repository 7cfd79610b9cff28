// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"testing"
)

// TestS390XIPLReport checks that the first page is loaded only on a machine where
// the kernel would follow a stale pointer.
func TestS390XIPLReport(t *testing.T) {
	for _, report := range []bool{false, true} {
		m := s390xTestMachine()
		m.IPLReport = report
		p, err := s390x{}.Plan(m, s390xTestTarget(), testList())
		if err != nil {
			t.Fatal(err)
		}
		s, ok := p.Segment("lowcore")
		if ok != report {
			t.Fatalf("report %v: a segment for the first page: %v", report, ok)
		}
		if ok && binary.BigEndian.Uint32(s.Data[0x14:]) != 0x200 {
			t.Errorf("pointer % x", s.Data[0x14:0x18])
		}
	}
}
