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
// error that wraps ErrBank.
func (l *Log) Extended(registers []Register) (int, error) {
	values, banks := make([][]byte, len(registers)), make([]int, len(registers))
	for i, r := range registers {
		values[i] = make([]byte, r.Algorithm.Size())
		if banks[i] = l.bank(r.Algorithm); banks[i] < 0 {
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
			if e := &l.Events[n]; e.PCR == r.PCR {
				values[i] = e.extend(values[i], r.Algorithm, banks[i])
			}
		}
	}
}
