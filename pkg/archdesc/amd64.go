// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"cmp"
	"encoding/binary"
	"fmt"
)

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

// ProbeMemory implements Arch. A kernel that unpacks itself is unpacked.
func (amd64) ProbeMemory(image []byte) int64 {
	if k, err := parseAMD64Image(image); err != nil || k.header == nil {
		return 0
	}
	return probeMemory
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

// Texts of a kernel that say what it does with a list. Each is compiled in under
// the condition that is named.
const (
	// CONFIG_HAVE_IMA_KEXEC (security/integrity/ima/ima_kexec.c).
	amd64TextRestore = "Failed to restore the measurement list"
	// CONFIG_IMA, and SETUP_IMA is known (arch/x86/kernel/setup.c).
	amd64TextNode = "failed to memremap ima_setup_data entry"
	// CONFIG_OF_FLATTREE as well: then SETUP_IMA is known and not used
	// (drivers/of/kexec.c).
	amd64TextTree = "linux,ima-kexec-buffer"
	// No CONFIG_IMA, and SETUP_IMA is known.
	amd64TextNoIMA = "CONFIG_IMA not set. Ignoring."
	// Linux 7.0, and what it was ported back to: the list's range is checked.
	amd64TextRange = "lies outside available memory"
)

// restores looks for the answer where it is cheapest: in the setup header, which
// tells a kernel before Linux 6.0, then in the packed kernel.
func (k *amd64Image) restores(image []byte) Support {
	s := newTextSearch(amd64TextRestore, amd64TextNode, amd64TextTree, amd64TextNoIMA, amd64TextRange)
	if k.header == nil {
		_, _ = s.Write(image)
		return amd64Verdict(s.found, "the ELF kernel")
	}
	const indirect = 1 << 31 // SETUP_INDIRECT
	if k.info == nil || string(k.info[:len(amd64InfoMagic)]) != amd64InfoMagic {
		return Support{Evidence: "the setup header has no kernel_info: a kernel before Linux 5.5, which does not know SETUP_IMA"}
	}
	if highest := binary.LittleEndian.Uint32(k.info[amd64InfoTypeMax:]) &^ indirect; highest < amd64DataList {
		return Support{Evidence: fmt.Sprintf("kernel_info ends the types of setup_data with %d: a kernel before Linux 6.0, which does not know SETUP_IMA, %d", highest, amd64DataList)}
	}
	p, err := findPayload(k.payload)
	if err == nil {
		err = p.search(s, func() bool { return s.found[amd64TextRestore] && s.found[amd64TextNode] || s.found[amd64TextTree] })
	}
	if err != nil {
		return Support{Evidence: fmt.Sprintf("it is unknown whether the packed kernel restores a list: %s: %v", cmp.Or(p.name, "payload"), err)}
	}
	return amd64Verdict(s.found, "the kernel packed with "+p.name)
}

// amd64Verdict says what the texts mean.
func amd64Verdict(found map[string]bool, who string) Support {
	switch {
	case found[amd64TextTree]:
		return Support{Evidence: who + " was built with CONFIG_OF_FLATTREE: it looks for a list in a device tree, and ignores SETUP_IMA"}
	case found[amd64TextNoIMA]:
		return Support{Evidence: who + " was built without CONFIG_IMA"}
	case !found[amd64TextNode]:
		return Support{Evidence: who + " lacks the text " + amd64TextNode + ": it has no CONFIG_IMA, or does not know SETUP_IMA"}
	case !found[amd64TextRestore]:
		return Support{Evidence: who + " lacks the text " + amd64TextRestore + ": it was built without CONFIG_KEXEC_FILE"}
	}
	s := Support{OK: true, Evidence: who + " holds the text " + amd64TextRestore}
	if !found[amd64TextRange] {
		s.Evidence += " (and lacks the range check of Linux 7.0: it panics if the list lies beyond its mem=, where imaboot places none)"
	}
	return s
}
