// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import "encoding/binary"

// s390x is the boot protocol of IBM Z. It has a parameter area inside the
// image and no device tree. docs/s390x.md describes it.
type s390x struct{}

const (
	// s390xKexecArch is KEXEC_ARCH_S390 of include/uapi/linux/kexec.h.
	s390xKexecArch = 22 << 16

	// s390xPage is the only page size of the architecture, in bytes.
	s390xPage = 4 << 10

	// s390xCanonicalFormat makes a big-endian kernel write its list
	// little-endian (security/integrity/ima/ima_fs.c).
	s390xCanonicalFormat = "ima_canonical_fmt"
)

// Name implements Arch.
func (s390x) Name() string { return "s390x" }

// Recognise implements Arch.
func (s390x) Recognise(image []byte) error {
	_, err := parseS390XImage(image)
	return err
}

// Restores implements Arch. It looks for the mark in the image's parameter
// area, see s390xParmFeatures.
func (s390x) Restores(image []byte) Support {
	k, err := parseS390XImage(image)
	if err != nil {
		return Support{Evidence: err.Error()}
	}
	if !k.restoresList() {
		return Support{Evidence: s390xNoMark}
	}
	return Support{OK: true, Evidence: "the image's parameter area has the mark that it restores a list"}
}

// ProbeMemory implements Arch. The image is searched where it is.
func (s390x) ProbeMemory([]byte) int64 { return 0 }

// Unpacks implements Arch. The kernel is compressed inside the image, so that
// searching for texts would find nothing.
func (s390x) Unpacks(image []byte, config map[string]string) Support {
	return probeUnpack(image, config, false)
}

// ListOrder implements Arch.
func (s390x) ListOrder(cmdline string) binary.ByteOrder {
	if hasSetup(cmdline, s390xCanonicalFormat) {
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
	if err := k.checkParams(t, l); err != nil {
		return nil, err
	}
	mem, err := readS390XMemory(m, k.end)
	if err != nil {
		return nil, err
	}
	limit := s390xMemoryLimit(t.Cmdline)
	mem.reserve("next kernel's crash kernel", s390xCrashKernel(t.Cmdline, min(limit, mem.ram.end())))
	params := newS390XParams(k, t.Cmdline)
	d := newDraft(m, t, l, layout{
		arch: "s390x", flags: s390xKexecArch,
		cmdlineSize: k.limit, cmdlineOwner: "this kernel takes",
		memory: mem, align: s390xPage,
	})
	within := Range{0, limit}

	if m.IPLReport {
		d.put(s390xLowcore())
	}
	d.initrd(params, within)
	d.buffer(params, within)

	kernel, err := k.segments(params)
	d.fail(err)
	d.put(kernel...)
	d.plan.Entry = s390xEntry
	return d.finish()
}
