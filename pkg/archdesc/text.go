// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// WriteText writes the plan for people: a table of the segments, the memory map
// as a table, and a drawing of it to scale.
func (p *Plan) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(tw, "segment\taddress\tend\tmemory\tbytes\n")
	for _, s := range p.Segments {
		fmt.Fprintf(tw, "%s\t%v\t%v\t%v\t%d\n", s.Name, s.Start, s.End, s.Size(), len(s.Data))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "entry %v, kexec_load flags %#x\n", p.Entry, p.Flags)
	if p.List != nil {
		fmt.Fprintf(w, "list  %s = %v\n", p.List.Where, p.List.Range)
	}
	fmt.Fprintf(w, "command line %q\n", p.Cmdline)
	regions := slices.Clone(p.Reserved)
	for _, s := range p.Segments {
		regions = append(regions, Region{s.Range, "segment " + s.Name})
	}
	if err := writeMap(w, p.RAM, regions); err != nil {
		return err
	}
	d := &drawing{ram: p.RAM, reserved: p.Reserved, segments: p.Segments}
	if p.List != nil {
		d.list = p.List.Range
	}
	return d.write(w)
}

// WriteMap writes the memory map, as a table and a drawing, if err is a
// NoRoomError. For other errors it writes nothing.
func WriteMap(w io.Writer, err error) error {
	e, ok := errors.AsType[*NoRoomError](err)
	if !ok {
		return nil
	}
	if err := writeMap(w, e.RAM, e.Reserved); err != nil {
		return err
	}
	return (&drawing{ram: e.RAM, reserved: e.Reserved}).write(w)
}

func writeMap(w io.Writer, ram Ranges, regions []Region) error {
	rows := slices.Clone(regions)
	for _, r := range ram {
		rows = append(rows, Region{r, "System RAM"})
	}
	// A range comes before those that it contains.
	slices.SortStableFunc(rows, func(a, b Region) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(tw, "memory\tend\tsize\t\n")
	for _, r := range rows {
		fmt.Fprintf(tw, "%v\t%v\t%v\t%s\n", r.Start, r.End, r.Size(), r.Why)
	}
	return tw.Flush()
}
