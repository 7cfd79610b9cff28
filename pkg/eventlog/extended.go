// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package eventlog

import (
	"bytes"
	"fmt"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// A Register is the value of a PCR in one bank.
type Register struct {
	PCR int
	pcr.Value
}

// Extended returns how many events of the log, from the first, lead to these
// values, and -1 if no number does. Of several numbers it returns the largest.
// The time is linear in the length of the log. A bank that the log lacks is an
// error that wraps ErrBank. Nothing behind an event without a digest for one of
// the banks is looked at.
func (l *Log) Extended(registers []Register) (int, error) {
	values := make([][]byte, len(registers))
	for i, r := range registers {
		values[i] = make([]byte, r.Algorithm.Size())
		if !l.has(r.Algorithm) {
			return -1, fmt.Errorf("%w: %s", ErrBank, r.Algorithm)
		}
	}
	found := -1
	for n := 0; ; n++ {
		same := true
		for i, r := range registers {
			same = same && bytes.Equal(values[i], r.Value.Value)
		}
		if same {
			found = n
		}
		if n == len(l.Events) {
			return found, nil
		}
		for i, r := range registers {
			e := &l.Events[n]
			if e.PCR != r.PCR {
				continue
			}
			var ok bool
			if values[i], ok = e.extend(values[i], r.Algorithm); !ok {
				// What follows cannot be replayed.
				return found, nil
			}
		}
	}
}
