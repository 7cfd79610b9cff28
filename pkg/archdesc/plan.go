// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/json"
	"fmt"
	"slices"
)

// SegmentMax is the number of segments that kexec_load(2) takes at most:
// KEXEC_SEGMENT_MAX of include/uapi/linux/kexec.h.
const SegmentMax = 16

// Names of segments. A kernel may have more than one: kernel, kernel.1 and so on.
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

// A Segment is a range of memory that is filled for the next kernel: with Data,
// then with zeros.
type Segment struct {
	Name string
	Range
	Data []byte
}

// MarshalJSON writes the size of Data in bytes instead of its contents.
func (s Segment) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name string `json:"name"`
		Range
		Bytes int `json:"bytes"`
	}{s.Name, s.Range, len(s.Data)})
}

// A Region is memory in which a plan places nothing.
type Region struct {
	Range
	// Why names the owner, in words for people.
	Why string `json:"why"`
}

// A Descriptor is the part of the boot protocol that names the list.
type Descriptor struct {
	// Where is the property or field, in words for people.
	Where string `json:"where"`
	// Range is the memory that it names: that of the list's segment for the
	// kernel's carrier, that of the archive for the initramfs'.
	Range
}

// A Plan says what is loaded where. It is a value, independent of the running
// system, and can be printed, compared and loaded.
type Plan struct {
	Arch string `json:"arch"`
	// Flags are those of kexec_load(2). The upper 16 of 32 bits name the
	// architecture.
	Flags uint64 `json:"flags"`
	// Entry is the address to which the running kernel jumps.
	Entry Addr `json:"entry"`
	// Segments are sorted by address and do not overlap.
	Segments []Segment `json:"segments"`
	// Cmdline is the target's command line.
	Cmdline string `json:"cmdline"`
	// List says how the target finds the list. It is nil without a list.
	List *Descriptor `json:"list,omitempty"`
	// RAM and Reserved describe the memory that the plan was made for.
	RAM      Ranges   `json:"ram"`
	Reserved []Region `json:"reserved"`
}

// Segment returns the segment with a name.
func (p *Plan) Segment(name string) (Segment, bool) {
	i := slices.IndexFunc(p.Segments, func(s Segment) bool { return s.Name == name })
	if i < 0 {
		return Segment{}, false
	}
	return p.Segments[i], true
}

// check sorts the segments and applies the rules of kexec_load(2)
// (kernel/kexec_core.c, sanity_check_segment_list), so that a violation is
// explained instead of ending in EINVAL.
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
