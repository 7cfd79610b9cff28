// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package offline

import (
	"fmt"
	"io"
	"slices"

	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/entry"
)

// notes say how the list was read.
func (r *Result) notes() []string {
	notes := []string{r.Source.Text()}
	if p := r.Prefix; p != nil {
		notes = append(notes, p.note(), p.Text())
	}
	return slices.DeleteFunc(notes, func(note string) bool { return note == "" })
}

// WriteText writes the result for people: how the list was read, and then what
// verify prints of a running kernel's list, with the verdict in the last line.
func (r *Result) WriteText(w io.Writer) error {
	for _, line := range r.notes() {
		if _, err := fmt.Fprintln(w, entry.Printable(line)); err != nil {
			return err
		}
	}
	s := &carry.Snapshot{Report: r.Report, Aggregate: r.Aggregate}
	return s.WriteText(w)
}
