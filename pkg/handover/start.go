// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"fmt"
	"strings"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// A BankName is a bank of a register.
type BankName struct {
	PCR       int           `json:"pcr"`
	Algorithm pcr.Algorithm `json:"algorithm"`
}

// CheckFrom does what Check does for a list whose first records are not there:
// the replay of each bank begins with the value that starts has for it. A
// verifier that has checked earlier records keeps these values. A bank without
// one is not compared.
func CheckFrom(l *List, starts []Register, index int, pcrs []pcr.Value, others ...Register) *Report {
	r, _ := checkFrom(l, starts, nil, append([]Register{{index, pcrs}}, others...), func() (*List, error) { return l, nil })
	return r
}

// startOf returns the value of a bank in starts, or nil.
func startOf(starts []Register, index int, a pcr.Algorithm) []byte {
	for _, reg := range starts {
		for _, v := range reg.Values {
			if reg.Index == index && v.Algorithm == a {
				return v.Value
			}
		}
	}
	return nil
}

// startText says which banks were not compared, because their start is unknown.
func (r *Report) startText() string {
	if len(r.NotCompared) == 0 {
		return ""
	}
	var names []string
	for _, n := range r.NotCompared {
		names = append(names, fmt.Sprintf("%s of PCR %d", n.Algorithm, n.PCR))
	}
	return "; not compared, since no value to start from is known: " + strings.Join(names, ", ")
}
