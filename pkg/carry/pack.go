// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"fmt"
	"strings"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// pack makes what travels. The target's command line names a list that comes
// with a note.
func (j *Job) pack(s *Snapshot, l *handover.List, way travel) (*archdesc.List, *archdesc.Target, error) {
	t := j.target
	t.Cmdline = handover.StripParam(t.Cmdline)
	if strings.Contains(t.Cmdline, handover.Param+"=") {
		return nil, nil, &Refusal{refusal.BadCommandLine, fmt.Errorf("it says %s= inside another parameter, and the next stage would take that for the name of a list", handover.Param)}
	}
	out := &archdesc.List{}
	var err error
	if way.by == handover.ByKernel {
		out.Room = archdesc.Addr(j.o.Room)
		if out.Buffer, err = l.Buffer(); err != nil {
			return nil, nil, err
		}
	}
	if !way.note {
		return out, &t, nil
	}
	release, err := handover.KernelRelease(j.o.Root)
	if err != nil {
		return nil, nil, err
	}
	canonical := s.ByteOrder() != j.arch.ListOrder("")
	note := handover.NewNote(l, way.by, release, canonical, l.Index(), s.values(l.Index()))
	note.Imaboot, note.Forms = Version, s.Report.Hint()
	if out.Archive, err = l.Archive(note, way.events); err != nil {
		return nil, nil, err
	}
	t.Cmdline = note.WithParam(t.Cmdline)
	return out, &t, nil
}
