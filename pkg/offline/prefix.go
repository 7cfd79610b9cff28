// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package offline

import (
	"fmt"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/listfile"
)

// A Prefix is what was put in front of a list.
type Prefix struct {
	*listfile.File
	Records int `json:"records"`
	// Overlap is the number of records that the list has as well. They count
	// once.
	Overlap int `json:"overlapping_records"`
	// Hole is set if records between the prefix and the list may be missing:
	// the list begins with no boot_aggregate, shares no record with the
	// prefix, and does not match.
	Hole bool `json:"hole,omitempty"`
}

// maxJoints bounds the number of overlaps that are compared with the PCRs. There
// are several only if the list repeats itself.
const maxJoints = 8

// join puts a prefix in front of the list. Of several ways to overlap it takes
// the one that the PCRs prove, or else the one with the most records.
func (c *comparison) join(r *Result, own *handover.List) (list *handover.List, err error) {
	file, err := listfile.Read(c.o.Prefix)
	if err != nil {
		return nil, err
	}
	front, err := file.List()
	if err != nil {
		return nil, err
	}
	r.Prefix = &Prefix{File: file, Records: front.Records()}
	overlaps := handover.Overlaps(front, own)
	if len(overlaps) > maxJoints {
		overlaps = overlaps[:maxJoints]
	}
	for i, n := range append(overlaps, 0) {
		l, report, err := c.joined(front, own, n)
		if err != nil {
			return nil, fmt.Errorf("%s in front of %s: %w", file.Name, r.Source.Name, err)
		}
		proven := report.Verdict == handover.Match || report.Verdict == handover.Unproven
		if i == 0 || proven {
			list, r.Report, r.Prefix.Overlap = l, report, n
		}
		if proven || report.Verdict == handover.NoTPM {
			break
		}
	}
	if r.Verdict == handover.TPMAhead && r.Prefix.Overlap == 0 && own.Trimmed() && front.Records() > 0 {
		r.Prefix.Hole = true
		r.Text += fmt.Sprintf("; there may be a hole between record %d, the prefix's last, and the list's first", front.Records())
	}
	return list, nil
}

// joined returns the prefix and the records of a list behind the first n.
func (c *comparison) joined(front, l *handover.List, n int) (*handover.List, *handover.Report, error) {
	rest, err := l.Skip(n)
	if err != nil {
		return nil, nil, err
	}
	all, err := handover.Join(front, rest)
	if err != nil {
		return nil, nil, err
	}
	report, err := c.check(all)
	return all, report, err
}

func (p *Prefix) note() string {
	return fmt.Sprintf("prefix %s: %s, of which the list also has %d", p.Name, human.Count(p.Records, "records"), p.Overlap)
}
