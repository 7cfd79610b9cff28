// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package eventlog

import (
	"errors"
	"fmt"
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// TestExtended finds each beginning of a log by the values that it leads to.
func TestExtended(t *testing.T) {
	l := New([]pcr.Algorithm{pcr.SHA1, pcr.SHA256})
	const events = 40
	for i := range events {
		e, err := l.File(fmt.Sprint("file ", i), []byte{byte(i)})
		if i%3 == 2 {
			e, err = l.CommandLine(fmt.Sprint(i))
		}
		if err != nil {
			t.Fatal(err)
		}
		l = l.With(e)
	}
	for n := 0; n <= events; n++ {
		var registers []Register
		for _, index := range []int{StringPCR, FilePCR} {
			for _, a := range l.Banks() {
				value, err := l.Replay(index, a, n)
				if err != nil {
					t.Fatal(err)
				}
				registers = append(registers, Register{index, pcr.Value{Algorithm: a, Value: value}})
			}
		}
		if got, err := l.Extended(registers); err != nil || got != n {
			t.Errorf("%d, error %v, want %d", got, err, n)
		}
		// Every register has to agree.
		registers[len(registers)-1].Value.Value = make([]byte, 32)
		registers[0].Value.Value = []byte("foreign")
		if got, err := l.Extended(registers); err != nil || got != -1 {
			t.Errorf("foreign values after %d events: %d, error %v", n, got, err)
		}
	}
	if _, err := l.Extended([]Register{{FilePCR, pcr.Value{Algorithm: pcr.SHA384}}}); !errors.Is(err, ErrBank) {
		t.Errorf("error %v, want %v", err, ErrBank)
	}
	// With nothing to compare, all of it may have been extended.
	if got, err := l.Extended(nil); err != nil || got != events {
		t.Errorf("%d, error %v", got, err)
	}
}
