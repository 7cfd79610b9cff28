// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"fmt"
	"slices"

	"github.com/imaboot/imaboot/pkg/cmdline"
)

// bootParams is the part of a boot protocol that tells the next kernel where
// things are: a device tree, or a parameter area inside the image.
type bootParams interface {
	// setInitrd records the initrd's range, exact to the byte, and returns
	// the name of the field.
	setInitrd(Range) (field string)

	// setList records the range of the list's segment and returns the name
	// of the field.
	setList(Range) (field string)
}

// A layout is what an architecture has to know before anything is placed.
type layout struct {
	arch  string // GOARCH name
	flags uint64 // of kexec_load(2)

	// cmdlineSize is the room for the command line in bytes, with the NUL.
	// cmdlineOwner completes the error "N bytes, … N".
	cmdlineSize  Addr
	cmdlineOwner string

	memory *memory
	align  Addr // of everything that is placed, a power of two
}

// A draft is an unfinished plan. Every architecture builds its plan with these
// methods, in the order of this file: first its own segments, then the initrd
// and the list, then the contents that depend on addresses. The first error
// makes the methods that follow do nothing; finish returns it.
type draft struct {
	plan    *Plan
	machine *Machine
	target  *Target
	list    *List
	placer  *placer
	err     error
}

// newDraft checks the command line: its length, and that it has no control
// characters. l may be nil.
func newDraft(m *Machine, t *Target, l *List, in layout) *draft {
	if l == nil {
		l = &List{}
	}
	d := &draft{
		machine: m, target: t, list: l,
		placer: newPlacer(in.memory, in.align),
		plan: &Plan{
			Arch: in.arch, Flags: in.flags, Cmdline: t.Cmdline,
			RAM: in.memory.ram, Reserved: in.memory.reserved,
		},
	}
	d.fail(cmdline.Check(t.Cmdline))
	if Addr(len(t.Cmdline)) >= in.cmdlineSize {
		d.fail(fmt.Errorf("%w: %d bytes, %s %d", ErrCmdlineTooLong, len(t.Cmdline), in.cmdlineOwner, in.cmdlineSize-1))
	}
	return d
}

// fail records an error, unless there is an earlier one.
func (d *draft) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// room takes size bytes inside the first of the ranges that has them.
func (d *draft) room(name string, size Addr, within ...Range) Range {
	if d.err != nil {
		return Range{}
	}
	var err error
	for _, w := range within {
		var r Range
		if r, err = d.placer.place(name, size, w); err == nil {
			return r
		}
	}
	d.fail(err)
	return Range{}
}

// put adds segments whose addresses are fixed. They must lie in memory.
func (d *draft) put(segments ...Segment) {
	if d.err != nil {
		return
	}
	for _, s := range segments {
		if !d.plan.RAM.Contains(s.Range) {
			d.fail(d.placer.noRoom(s.Name, s.Size(), s.Range))
			return
		}
		d.plan.Segments = append(d.plan.Segments, s)
	}
}

// add places a segment whose contents come later, by fill.
func (d *draft) add(name string, size Addr, within Range) Range {
	r := d.room(name, size, within)
	d.put(Segment{Name: name, Range: r})
	return r
}

// initrd places what the target unpacks into its root file system, in the first
// of the ranges that has room for it: the initrd and, directly in front of it in
// whole pages, the archive with the list. The boot protocol names both as one
// range. Microcode archives stand in the same place, and it works however the
// initrd is compressed (init/initramfs.c, unpack_to_rootfs).
func (d *draft) initrd(params bootParams, within ...Range) {
	archive, initrd := d.list.Archive, d.target.Initrd
	if len(archive)+len(initrd) == 0 {
		return
	}
	name := SegmentInitrd
	if len(initrd) == 0 {
		name = SegmentArchive
	}
	front, _ := alignUp(Addr(len(archive)), d.placer.align)
	r := d.room(name, front+Addr(len(initrd)), within...)
	named := rangeOf(r.Start, Addr(len(archive)))
	if len(initrd) > 0 {
		d.put(Segment{SegmentInitrd, Range{r.Start + front, r.End}, initrd})
		named.End = r.Start + front + Addr(len(initrd))
	}
	field := params.setInitrd(named)
	if len(archive) > 0 {
		d.put(Segment{SegmentArchive, rangeOf(r.Start, front), archive})
	}
	if len(archive) > 0 && d.list.Buffer == nil { // else the archive has the note alone
		d.plan.List = &Descriptor{
			Where: "initramfs archive in front of the initrd, " + field,
			Range: rangeOf(r.Start, Addr(len(archive))),
		}
	}
}

// buffer places the list's buffer, if the kernel carries it, in the first of
// the ranges that has room for it.
func (d *draft) buffer(params bootParams, within ...Range) {
	if d.list.Buffer == nil {
		return
	}
	r := d.room(SegmentList, Addr(len(d.list.Buffer))+d.list.Room, within...)
	d.put(Segment{SegmentList, r, d.list.Buffer})
	d.plan.List = &Descriptor{Where: params.setList(r), Range: r}
}

// fill sets the contents of a segment that add placed.
func (d *draft) fill(name string, data []byte) {
	i := slices.IndexFunc(d.plan.Segments, func(s Segment) bool { return s.Name == name })
	if i >= 0 {
		d.plan.Segments[i].Data = data
	}
}

// finish returns the plan if it satisfies the rules of kexec_load(2).
func (d *draft) finish() (*Plan, error) {
	if d.err == nil {
		d.err = d.plan.check(d.machine)
	}
	if d.err != nil {
		return nil, d.err
	}
	return d.plan, nil
}
