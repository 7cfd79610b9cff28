// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import "encoding/binary"

// ppc64le is the boot protocol of 64-bit little-endian POWER machines, both
// under a hypervisor (pseries) and on bare metal (powernv). docs/ppc64le.md
// describes it.
type ppc64le struct{}

const (
	// ppc64leKexecArch is KEXEC_ARCH_PPC64 of include/uapi/linux/kexec.h,
	// the same for both byte orders.
	ppc64leKexecArch = 21 << 16

	// ppc64leAlign suits both page sizes, 4 and 64 KiB, of the running
	// kernel and of the next, which frees the list in its own pages.
	ppc64leAlign = 64 << 10
)

// Name implements Arch.
func (ppc64le) Name() string { return "ppc64le" }

// Recognise implements Arch.
func (ppc64le) Recognise(image []byte) error {
	_, err := parsePPC64LEImage(image)
	return err
}

// Restores implements Arch.
func (ppc64le) Restores(image []byte) Support { return probeRestore(image, fdtListProperty) }

// ProbeMemory implements Arch. The image is searched where it is.
func (ppc64le) ProbeMemory([]byte) int64 { return 0 }

// Unpacks implements Arch.
func (ppc64le) Unpacks(image []byte, config map[string]string) Support {
	return probeUnpack(image, config, true)
}

// ListOrder implements Arch.
func (ppc64le) ListOrder(string) binary.ByteOrder { return binary.LittleEndian }

// Plan implements Arch.
func (ppc64le) Plan(m *Machine, t *Target, l *List) (*Plan, error) {
	k, err := parsePPC64LEImage(t.Kernel)
	if err != nil {
		return nil, err
	}
	mem, err := readPPC64LEMemory(m)
	if err != nil {
		return nil, err
	}
	mem.reserveNext(k.size, t.Cmdline)
	params, err := newPPC64LEParams(m, t, mem)
	if err != nil {
		return nil, err
	}
	d := newDraft(m, t, l, layout{
		arch: "ppc64le", flags: ppc64leKexecArch,
		cmdlineSize: ppc64leCommandLineSize, cmdlineOwner: "ppc64le kernels take",
		memory: &mem.memory, align: ppc64leAlign,
	})
	all := Range{0, ppc64leMemoryLimit(t.Cmdline)}
	low := Range{0, min(mem.realMode, all.End)}

	kernel := d.room(SegmentKernel, k.size, low)
	d.put(ppc64leSegments(k, kernel.Start)...)
	code := d.add(SegmentTrampoline, ppc64leTrampolineSize, low)
	fdt := d.add(SegmentFDT, params.size(), low)
	d.initrd(params, low)
	// The next kernel reads the list late, with the MMU on, so that it may
	// lie above the limit of real mode.
	d.buffer(params, low, all)

	params.reserve(fdt)
	blob, err := params.blob()
	d.fail(err)
	d.fill(SegmentFDT, blob)
	d.fill(SegmentTrampoline, ppc64leTrampoline(k.loads[0].data, fdt.Start, kernel.Start, mem.opal))
	d.plan.Entry = code.Start
	return d.finish()
}
