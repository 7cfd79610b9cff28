// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import "encoding/binary"

// amd64 is the boot protocol of 64-bit PCs, with BIOS, EFI or neither.
// docs/amd64.md describes it.
type amd64 struct{}

// amd64KexecArch is KEXEC_ARCH_X86_64 of include/uapi/linux/kexec.h.
const amd64KexecArch = 62 << 16

// SegmentParams is the name of the segment with struct boot_params and all that
// it points to.
const SegmentParams = "parameters"

// Name implements Arch.
func (amd64) Name() string { return "amd64" }

// Recognise implements Arch.
func (amd64) Recognise(image []byte) error {
	_, err := parseAMD64Image(image)
	return err
}

// Restores implements Arch. It unpacks the kernel as far as it has to, and keeps
// nothing of it.
func (amd64) Restores(image []byte) Support {
	k, err := parseAMD64Image(image)
	if err != nil {
		return Support{Evidence: err.Error()}
	}
	return k.restores(image)
}

// Unpacks implements Arch. The kernel in a bzImage is packed, so that searching
// for texts would find nothing.
func (amd64) Unpacks(image []byte, config map[string]string) Support {
	k, err := parseAMD64Image(image)
	return probeUnpack(image, config, err == nil && k.header == nil)
}

// ListOrder implements Arch.
func (amd64) ListOrder(string) binary.ByteOrder { return binary.LittleEndian }

// Plan implements Arch.
func (amd64) Plan(m *Machine, t *Target, l *List) (*Plan, error) {
	k, err := parseAMD64Image(t.Kernel)
	if err != nil {
		return nil, err
	}
	if err := k.checkParams(m, t); err != nil {
		return nil, err
	}
	mem, err := readAMD64Memory(m, t.Cmdline)
	if err != nil {
		return nil, err
	}
	params := newAMD64Params(k, m.PC, t, l)
	d := newDraft(m, t, l, layout{
		arch: "amd64", flags: amd64KexecArch,
		cmdlineSize: k.cmdline, cmdlineOwner: "this kernel takes",
		memory: mem, align: amd64Page,
	})
	all := Range{amd64Low, amd64MemoryLimit(t.Cmdline)}
	var size Addr
	if d.list.Buffer != nil {
		size = max(Addr(len(d.list.Buffer))+d.list.Room, 1)
	}
	kernel, list, err := k.places(d.placer, size, all.End, k.stays(m.PC, t.Cmdline))
	if err != nil {
		d.fail(err)
	}
	d.buffer(params, list)
	d.room(SegmentKernel, kernel.Size(), kernel)
	d.put(k.segments(kernel.Start)...)
	code := d.add(SegmentTrampoline, amd64Page, all)
	data := d.add(SegmentParams, params.size(), all)
	d.initrd(params, Range{kernel.End, all.End}, all)

	d.fill(SegmentParams, params.blob(data.Start))
	d.fill(SegmentTrampoline, amd64Trampoline(data.Start, kernel.Start+k.entry))
	d.plan.Entry = code.Start
	return d.finish()
}
