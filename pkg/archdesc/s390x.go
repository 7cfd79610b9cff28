// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"fmt"
)

// s390x is the boot protocol of IBM Z: a parameter area inside the image, and
// no device tree. README.md describes it.
type s390x struct{}

const (
	// KEXEC_ARCH_S390 of include/uapi/linux/kexec.h.
	s390xKexecArch = 22 << 16

	// s390xPage is the only page size of the architecture.
	s390xPage = 4 << 10

	// s390xHeap is what the decompressor uses at most behind the end of the
	// image (BOOT_HEAP_SIZE of arch/s390/boot/decompressor.c, for bzip2).
	s390xHeap = 4 << 20

	// s390xAlign is _SEGMENT_SIZE: kexec-tools places the initrd so.
	s390xAlign = 1 << 20

	// s390xCanonicalParam makes a big-endian kernel write its list little-endian
	// (security/integrity/ima/ima_fs.c).
	s390xCanonicalParam = "ima_canonical_fmt"
)

const s390xNoMark = "the image's parameter area has no mark that it restores a list"

// Name implements Arch.
func (s390x) Name() string { return "s390x" }

// Recognise implements Arch.
func (s390x) Recognise(image []byte) error {
	_, err := parseS390XImage(image)
	return err
}

// Restores implements Arch. The mark is in the image: see s390xParmFeatures.
func (s390x) Restores(image []byte) Support {
	k, err := parseS390XImage(image)
	if err != nil {
		return Support{Evidence: err.Error()}
	}
	if k.features&s390xParmRestoresList == 0 {
		return Support{Evidence: s390xNoMark}
	}
	return Support{OK: true, Evidence: "the image's parameter area has the mark that it restores a list"}
}

// Unpacks implements Arch. The kernel itself is compressed inside the image,
// so that texts are not looked for.
func (s390x) Unpacks(image []byte, config map[string]string) Support {
	return probeUnpack(image, config, false)
}

// ListOrder implements Arch.
func (s390x) ListOrder(cmdline string) binary.ByteOrder {
	if hasSetup(cmdline, s390xCanonicalParam) {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

// Plan implements Arch.
func (s390x) Plan(m *Machine, t *Target, l *List) (*Plan, error) {
	k, err := parseS390XImage(t.Kernel)
	if err != nil {
		return nil, err
	}
	if err := k.checkCmdline(t.Cmdline); err != nil {
		return nil, err
	}
	if t.Tree != nil {
		return nil, fmt.Errorf("%w: s390x kernels take none", ErrBadTree)
	}
	// The decompressor works in [0, image), its heap is behind. An initrd
	// or list that lies where the kernel is unpacked to is moved by it
	// before (arch/s390/boot/startup.c, rescue_initrd).
	low, ok := alignUp(k.end+s390xHeap, s390xAlign)
	if !ok {
		return nil, fmt.Errorf("%w: image ends at %v", ErrNotKernel, k.end)
	}
	reserved := []Region{{Range{0, low}, "next kernel's image and decompressor"}}
	for _, r := range m.CrashKernel {
		reserved = append(reserved, Region{r, "crash kernel"})
	}
	place := newPlacer(m.RAM, reserved, s390xPage)
	within := Range{0, memoryLimit(t.Cmdline, s390xAlign)}

	p := &Plan{
		Arch: "s390x", Flags: s390xKexecArch, Entry: s390xEntry, Cmdline: t.Cmdline,
		RAM: m.RAM, Reserved: reserved,
	}
	if m.IPLReport {
		p.Segments = append(p.Segments, Segment{"lowcore", Range{0, s390xPage}, s390xLowcore()})
	}
	parm := k.parm()
	initrd, err := p.placeInitrd(place, t, l, within)
	if err != nil {
		return nil, err
	}
	parm.setInitrd(initrd)
	p.describeArchive(l, fmt.Sprintf("parameter area %#x", s390xParm+s390xParmInitrdStart))
	if l != nil && l.Buffer != nil {
		if k.features&s390xParmRestoresList == 0 {
			return nil, fmt.Errorf("%w: %s", ErrNotRestored, s390xNoMark)
		}
		list, err := place.place(SegmentList, Addr(len(l.Buffer))+l.Room, within)
		if err != nil {
			return nil, err
		}
		p.Segments = append(p.Segments, Segment{SegmentList, list, l.Buffer})
		p.List = &Descriptor{Where: fmt.Sprintf("parameter area %#x", s390xParm+s390xParmListStart), Range: list}
		parm.setList(list)
	}
	parm.setCmdline(t.Cmdline)
	kernel, err := k.segments(parm)
	if err != nil {
		return nil, err
	}
	for _, s := range kernel {
		if !m.RAM.Contains(s.Range) {
			return nil, &NoRoomError{Segment: s.Name, Size: s.Size(), Within: s.Range, RAM: m.RAM, Reserved: reserved}
		}
	}
	p.Segments = append(p.Segments, kernel...)
	return p, p.check(m)
}

// s390xLowcore is a first page whose pointer to the IPL report leads to zeros.
// A machine that was started with a report still says so after a kexec, but
// its memory is long reused, and kexec_load(2) leaves the pointer alone
// (arch/s390/boot/ipl_report.c). The entry's code keeps 0x200 zero.
func s390xLowcore() []byte {
	const (
		iplParmblock = 0x14 // ipl_parmblock_ptr of struct lowcore
		zeroed       = 0x200
	)
	page := make([]byte, s390xPage)
	binary.BigEndian.PutUint32(page[iplParmblock:], zeroed)
	return page
}
