// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"slices"
)

// Overlaps returns how many of the first records of l the list front may hold
// already, the largest number first. Each is a number of records with which
// front ends, or all records of l if front holds them anywhere. Which of them is
// right, if any, only a PCR tells: two kernels can begin with equal records.
func Overlaps(front, l *List) []int {
	if front.digest != l.digest {
		return nil
	}
	// The search of Knuth, Morris and Pratt: fail has, for each number of
	// records of l, how many of the first are also the last of these.
	own := l.raws()
	fail := make([]int, len(own)+1)
	next := func(n int, record []byte) int {
		for n > 0 && (n == len(own) || !bytes.Equal(own[n], record)) {
			n = fail[n]
		}
		if n < len(own) && bytes.Equal(own[n], record) {
			n++
		}
		return n
	}
	for i := 1; i < len(own); i++ {
		fail[i+1] = next(fail[i], own[i])
	}
	var out []int
	n := 0
	for _, record := range front.raws() {
		if n = next(n, record); n == len(own) && len(own) > 0 {
			out = []int{n}
		}
	}
	for ; n > 0; n = fail[n] {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// raws returns all records.
func (l *List) raws() [][]byte {
	out := make([][]byte, 0, l.records)
	for r := range l.All {
		out = append(out, r.Raw)
	}
	return out
}

// Skip returns the list without its first n records.
func (l *List) Skip(n int) (*List, error) {
	offset := len(l.data)
	for r := range l.All {
		if r.Number == n+1 {
			offset = r.Offset
			break
		}
	}
	return ParseDigestSize(l.data[offset:], l.digest)
}
