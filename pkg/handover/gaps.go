// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"fmt"
	"strings"
)

// A Gap is a part of the list that no PCR proves: whoever handed the list on
// may have made up, changed or left out these records.
type Gap struct {
	// PCR is the number of the register that the records belong to.
	PCR     int `json:"pcr"`
	Records int `json:"records"`
	// Hop is the number of the kernel, from 1, that extended nothing. It is
	// 0 if the register was not compared with its value, or can be reset.
	Hop int `json:"hop,omitempty"`
}

// findGaps finds the records that the banks do not prove.
func (r *Report) findGaps(l *List) {
	if len(r.Banks) == 0 {
		return
	}
	compared := map[int]bool{}
	silent := map[[2]int]int{} // records, by hop and register
	for _, b := range r.Banks {
		compared[b.PCR] = true
		for i, form := range b.Forms {
			if form == FormNone {
				silent[[2]int{i, b.PCR}] = 0
			}
		}
	}
	for index, n := range l.count {
		if n > 0 && !compared[index] {
			r.Unproven = append(r.Unproven, Gap{PCR: index, Records: n})
		}
	}
	if len(silent) == 0 {
		return
	}
	for rec := range l.All {
		key := [2]int{l.hopOf(rec.Number), int(rec.PCR)}
		if n, ok := silent[key]; ok {
			silent[key] = n + 1
		}
	}
	for i := range l.hops {
		for index := range l.count {
			if n := silent[[2]int{i, index}]; n > 0 {
				r.Unproven = append(r.Unproven, Gap{PCR: index, Records: n, Hop: i + 1})
			}
		}
	}
}

// hopOf returns the hop of a record, counted from 0.
func (l *List) hopOf(record int) int {
	low, high := 0, len(l.hops)
	for low+1 < high {
		if mid := (low + high) / 2; l.hops[mid].First <= record {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// gapText says which records are unproven.
func (r *Report) gapText() string {
	if len(r.Unproven) == 0 {
		return ""
	}
	total := 0
	var texts []string
	for _, g := range r.Unproven {
		total += g.Records
		if g.Hop == 0 && g.PCR > lastProving {
			texts = append(texts, fmt.Sprintf("%d of PCR %d, which can be reset", g.Records, g.PCR))
			continue
		}
		if g.Hop == 0 {
			texts = append(texts, fmt.Sprintf("%d of PCR %d, which was not compared", g.Records, g.PCR))
			continue
		}
		texts = append(texts, fmt.Sprintf("%d of hop %d, whose kernel started IMA without a TPM and extended nothing", g.Records, g.Hop))
	}
	const most = 8
	if more := len(texts) - most; more > 0 {
		texts = append(texts[:most], fmt.Sprintf("and %d more such parts", more))
	}
	return fmt.Sprintf("; %d of %d records are unproven: %s", total, r.Records, strings.Join(texts, ", "))
}

// Proves reports whether the comparison proves a record of the list: its
// register was compared, and its kernel extended it. Without a TPM nothing is
// proven.
func (r *Report) Proves(l *List, record *Record) bool {
	if r.Verdict != Match && r.Verdict != Unproven {
		return false
	}
	compared := false
	for _, b := range r.Banks {
		if b.PCR != int(record.PCR) {
			continue
		}
		if b.Forms[l.hopOf(record.Number)] == FormNone {
			return false
		}
		compared = true
	}
	return compared
}
