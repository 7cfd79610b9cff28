// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"errors"
	"fmt"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// A travel is how the list of one snapshot travels. It is decided here and
// nowhere else.
type travel struct {
	by  Carrier
	why string
	// note: an archive with a note goes in front of the initrd, also if the
	// kernel carries the list.
	note bool
	// events is the event log in that archive, nil for none.
	events []byte
	// must: without the note the list must not go.
	must bool
}

// An image is what the target says of itself.
type image struct {
	restores, unpacks archdesc.Support
	// initrdErr is why nothing can be put in front of the initrd.
	initrdErr error
}

// canNote reports whether an archive beside a restored list would arrive.
// Without an initrd nobody may ever see it.
func (j *Job) canNote() bool {
	return j.image.unpacks.OK && j.image.initrdErr == nil && len(j.target.Initrd) > 0
}

// choose decides how a list travels. Before the list is read l is nil, and only
// the target decides. What would not arrive is refused.
func (j *Job) choose(l *handover.List) (travel, error) {
	if j.o.By == handover.ByInitramfs || !j.image.restores.OK {
		return j.byInitramfs()
	}
	t := travel{by: handover.ByKernel, why: j.image.restores.Evidence, must: j.o.Measure}
	renamed := false
	if l != nil {
		if err := l.CanCarry(); err != nil {
			if j.o.By != "" || !j.canNote() || !errors.Is(err, handover.ErrCannotCarry) {
				return travel{}, err
			}
			t.by, t.why = handover.ByInitramfs, err.Error()
		}
		renamed = t.by == handover.ByKernel && l.Renamed()
	}
	t.note = t.by == handover.ByInitramfs || (j.canNote() && !j.o.NoNote && !renamed)
	switch {
	case t.note:
		t.events = j.events
	case t.must && renamed:
		return travel{}, fmt.Errorf("%w: no note can describe a list that the next kernel changes: name --carry=initramfs", errNoEventLog)
	case t.must:
		return travel{}, fmt.Errorf("%w: the target unpacks no initramfs in front of its initrd, or has none", errNoEventLog)
	}
	return t, nil
}

// byInitramfs sends the list as a file, if the target would see it.
func (j *Job) byInitramfs() (travel, error) {
	notRestored := func(why string) (travel, error) {
		return travel{}, &Refusal{refusal.NotRestored, fmt.Errorf("%s: %s", j.t.Kernel, why)}
	}
	restores, why := j.image.restores.Evidence, j.image.unpacks.Evidence
	switch j.o.By {
	case handover.ByKernel:
		return notRestored(restores)
	case "":
		why = restores + "; " + why
	}
	if !j.image.unpacks.OK {
		return notRestored(why)
	}
	if len(j.target.Initrd) == 0 && j.o.By == "" && cmdline.LastSetup(j.target.Cmdline, "root=") != "" {
		// What is unpacked is gone when the kernel itself mounts a root
		// (init/do_mounts.c, prepare_namespace).
		return notRestored("without an initrd the kernel mounts root= over the list: give it one, or name --carry=initramfs if it has one built in; " + restores)
	}
	if j.image.initrdErr != nil {
		return travel{}, fmt.Errorf("%s: %w", j.target.InitrdName, j.image.initrdErr)
	}
	return travel{by: handover.ByInitramfs, why: why, note: true, events: j.events, must: true}, nil
}

// say logs a decision that differs from the one before.
func (j *Job) say(t travel) {
	if t.by == j.said.by && t.why == j.said.why && t.note == j.said.note {
		return
	}
	if t.by != j.said.by || t.why != j.said.why {
		asked := "auto"
		if j.o.By != "" {
			asked = string(j.o.By)
		}
		j.o.Log("carrier: %s (--carry=%s): %s", t.by, asked, t.why)
		if t.by == handover.ByInitramfs && len(j.target.Initrd) == 0 {
			j.o.Log("no initrd: the list is seen only by an initramfs that is built into the kernel")
		}
	}
	if !t.note && j.events != nil {
		j.o.Log("the event log is not handed on: there is no archive that it could travel in")
	}
	j.said = t
}
