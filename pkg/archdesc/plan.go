// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/json"
	"fmt"
	"slices"
)

// SegmentMax is how many segments kexec_load(2) takes:
// KEXEC_SEGMENT_MAX of include/uapi/linux/kexec.h.
const SegmentMax = 16

// Names of segments.
const (
	SegmentKernel     = "kernel"
	SegmentTrampoline = "trampoline"
	SegmentFDT        = "fdt"
	SegmentInitrd     = "initrd"
	SegmentList       = "ima-list"
	SegmentArchive    = "ima-archive"
)

// kernelPart names the i-th segment of a kernel.
func kernelPart(i int) string {
	if i == 0 {
		return SegmentKernel
	}
	return fmt.Sprintf("%s.%d", SegmentKernel, i)
}

// A Segment is a piece of memory that the next kernel finds filled. What is
// beyond Data is zero.
type Segment struct {
	Name string
	Range
	Data []byte
}

// MarshalJSON has the size of Data instead of its bytes.
func (s Segment) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name string `json:"name"`
		Range
		Bytes int `json:"bytes"`
	}{s.Name, s.Range, len(s.Data)})
}

// A Region is memory that a plan keeps away from.
type Region struct {
	Range
	// Why names the owner.
	Why string `json:"why"`
}

// A Descriptor is the place in the boot protocol that tells of the list.
type Descriptor struct {
	// Where is the property, node or field.
	Where string `json:"where"`
	Range
}

// A Plan is what is loaded where. It is a value: it holds nothing of the
// running system and can be printed, compared and loaded.
type Plan struct {
	Arch string `json:"arch"`
	// Flags are those of kexec_load(2): the architecture, in the upper half.
	Flags uint64 `json:"flags"`
	// Entry is where the running kernel jumps to.
	Entry Addr `json:"entry"`
	// Segments are sorted by address and do not overlap.
	Segments []Segment `json:"segments"`
	// Cmdline is the target's.
	Cmdline string `json:"cmdline"`
	// List says how the target is told of the list; nil without one.
	List *Descriptor `json:"list,omitempty"`
	// RAM and Reserved are what the plan was made for.
	RAM      Ranges   `json:"ram"`
	Reserved []Region `json:"reserved"`
}

// Segment returns the segment of that name.
func (p *Plan) Segment(name string) (Segment, bool) {
	i := slices.IndexFunc(p.Segments, func(s Segment) bool { return s.Name == name })
	if i < 0 {
		return Segment{}, false
	}
	return p.Segments[i], true
}

// check holds a finished plan against the rules of the system call
// (kernel/kexec_core.c, sanity_check_segment_list), so that a mistake of ours
// is an error with a name and not EINVAL.
func (p *Plan) check(m *Machine) error {
	slices.SortFunc(p.Segments, func(a, b Segment) int { return compareStart(a.Range, b.Range) })
	if len(p.Segments) > SegmentMax {
		return fmt.Errorf("%w: %d segments, the kernel takes %d", ErrNoRoom, len(p.Segments), SegmentMax)
	}
	var total Addr
	for i, s := range p.Segments {
		if (s.Start|s.End)&(m.PageSize-1) != 0 {
			return fmt.Errorf("segment %s %v is not aligned to the page size %v", s.Name, s.Range, m.PageSize)
		}
		if Addr(len(s.Data)) > s.Size() {
			return fmt.Errorf("segment %s has %d bytes for %v", s.Name, len(s.Data), s.Size())
		}
		if i > 0 && s.Overlaps(p.Segments[i-1].Range) {
			return fmt.Errorf("segment %s %v overlaps %s", s.Name, s.Range, p.Segments[i-1].Name)
		}
		total += s.Size()
	}
	if ram := m.RAM.Size(); total > ram/2 {
		return fmt.Errorf("%w: segments need %v, the kernel takes at most half of the memory, %v", ErrNoRoom, total, ram/2)
	}
	return nil
}

func compareStart(a, b Range) int {
	switch {
	case a.Start < b.Start:
		return -1
	case a.Start > b.Start:
		return 1
	}
	return 0
}
