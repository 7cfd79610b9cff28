// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Offsets in struct boot_params (arch/x86/include/uapi/asm/bootparam.h), beside
// those of the setup header inside it.
const (
	amd64ParamsSize = 4096

	amd64ParamScreen       = 0x000 // struct screen_info, 64 bytes
	amd64ParamExtMem       = 0x002 // two bytes of it: memory above 1 MiB
	amd64ParamOldCmdline   = 0x020 // four bytes of it: the command line of protocol 1
	amd64ParamRSDP         = 0x070
	amd64ParamInitrdHigh   = 0x0c0
	amd64ParamInitrdSizeHi = 0x0c4
	amd64ParamCmdlineHigh  = 0x0c8
	amd64ParamEDID         = 0x140 // 128 bytes
	amd64ParamEFI          = 0x1c0 // struct efi_info, 32 bytes
	amd64ParamMapCount     = 0x1e8
	amd64ParamEDDCount     = 0x1e9 // and the count of signatures behind it
	amd64ParamSecureBoot   = 0x1ec
	amd64ParamInitrd       = 0x218
	amd64ParamInitrdSize   = 0x21c
	amd64ParamCmdline      = 0x228
	amd64ParamData         = 0x250 // the first node of setup_data
	amd64ParamEDDSig       = 0x290 // 64 bytes
	amd64ParamMap          = 0x2d0
	amd64ParamEDD          = 0xd00 // 492 bytes

	amd64MapMax   = 128 // entries of amd64ParamMap
	amd64MapEntry = 20  // bytes of one

	// amd64Loader is the type of a kexec. With type 0, kernels ignore an
	// initrd.
	amd64Loader = 0xd0

	// amd64CmdlineRoom is what kernels map from the command line on, in
	// bytes (COMMAND_LINE_SIZE).
	amd64CmdlineRoom = 2048
)

// Types of a node of setup_data (arch/x86/include/uapi/asm/setup_data.h). A node
// has the address of the next one, its type and the length of its data, then the
// data.
const (
	amd64DataMap  = 1 // SETUP_E820_EXT
	amd64DataEFI  = 4 // SETUP_EFI
	amd64DataList = 8 // SETUP_IMA
	amd64DataSeed = 9 // SETUP_RNG_SEED

	amd64NodeHeader = 16
	amd64ListData   = 16 // address and size
	amd64EFIData    = 96 // fw_vendor, unused, tables, smbios, 8 reserved numbers
	amd64EFIEntry   = 40 // bytes of efi_memory_desc_t
	amd64EFI64      = 0x34364c45
)

// amd64Params is the segment with everything that the next kernel is told:
// struct boot_params, the command line, the nodes of setup_data, and the memory
// map of EFI's runtime services. It implements bootParams.
type amd64Params struct {
	page    []byte
	cmdline string
	nodes   []amd64Node
	efiMap  []byte
}

type amd64Node struct {
	kind uint32
	data []byte
}

// newAMD64Params takes from the running kernel's parameters what describes the
// machine, and from the image its setup header. Everything else is zero.
func newAMD64Params(k *amd64Image, pc *PC, t *Target, l *List) *amd64Params {
	p := &amd64Params{page: make([]byte, amd64ParamsSize), cmdline: t.Cmdline}
	copy(p.page[amd64HdrStart:], k.setupHeader())
	p.page[amd64HdrLoader], p.page[amd64HdrLoadFlags] = amd64Loader, amd64LoadedHigh
	p.put64(amd64ParamData, 0)

	p.keep(pc, amd64ParamScreen, 0x40)
	clear(p.page[amd64ParamExtMem:][:2])
	clear(p.page[amd64ParamOldCmdline:][:4])
	p.keep(pc, amd64ParamEDID, 0x80)
	p.keep(pc, amd64ParamEDDCount, 2)
	p.keep(pc, amd64HdrSubarch, 4)
	p.keep(pc, amd64ParamEDDSig, 0x40)
	p.keep(pc, amd64ParamEDD, 492)
	p.put64(amd64ParamRSDP, uint64(pc.RSDP))

	// The kernel looks for what it needs first from the front.
	if l != nil && l.Buffer != nil {
		p.nodes = append(p.nodes, amd64Node{amd64DataList, make([]byte, amd64ListData)})
	}
	if k.efi(pc) {
		p.setEFI(pc)
	}
	p.setMap(pc.Map)
	if len(t.RNGSeed) > 0 {
		p.nodes = append(p.nodes, amd64Node{amd64DataSeed, t.RNGSeed})
	}
	return p
}

// keep copies bytes of the running kernel's parameters.
func (p *amd64Params) keep(pc *PC, at, size int) {
	copy(p.page[at:at+size], pc.BootParams[at:])
}

func (p *amd64Params) put64(at int, v uint64) { binary.LittleEndian.PutUint64(p.page[at:], v) }

// putHalves writes a number whose two halves are fields of their own.
func (p *amd64Params) putHalves(low, high int, v Addr) {
	binary.LittleEndian.PutUint32(p.page[low:], uint32(v)) //nolint:gosec // the low half
	binary.LittleEndian.PutUint32(p.page[high:], uint32(v>>32))
}

// amd64Param64 reads a field of the running kernel's parameters.
func amd64Param64(page []byte, at int) Addr { return Addr(binary.LittleEndian.Uint64(page[at:])) }

// setMap writes the firmware's memory map, and what the page has no room for into
// a node.
func (p *amd64Params) setMap(entries []MapEntry) {
	var b []byte
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint64(b, uint64(e.Start))
		b = binary.LittleEndian.AppendUint64(b, uint64(e.Size()))
		b = binary.LittleEndian.AppendUint32(b, e.Type)
	}
	n := min(len(entries), amd64MapMax)
	p.page[amd64ParamMapCount] = byte(n)
	copy(p.page[amd64ParamMap:], b[:n*amd64MapEntry])
	if rest := b[n*amd64MapEntry:]; len(rest) > 0 {
		p.nodes = append(p.nodes, amd64Node{amd64DataMap, rest})
	}
}

// efi reports whether the kernel is given the state of EFI. It is all or nothing:
// a kernel that finds the signature without the rest moves the services to
// virtual addresses for a second time, which they do not survive.
func (k *amd64Image) efi(pc *PC) bool {
	return pc.EFI != nil && pc.EFI.Tables != 0 && k.flags&amd64EFIKexec != 0 &&
		binary.LittleEndian.Uint32(pc.BootParams[amd64ParamEFI:]) == amd64EFI64
}

// setEFI writes the state of EFI. The addresses that depend on the segment's
// place are written by blob.
func (p *amd64Params) setEFI(pc *PC) {
	const (
		memdescSize, memdescVersion, memmapSize = amd64ParamEFI + 8, amd64ParamEFI + 12, amd64ParamEFI + 20
		version                                 = 1
	)
	le := binary.LittleEndian
	for _, e := range pc.EFI.Map {
		p.efiMap = le.AppendUint64(p.efiMap, uint64(e.Type))
		for _, v := range []uint64{e.PhysAddr, e.VirtAddr, e.Pages, e.Attribute} {
			p.efiMap = le.AppendUint64(p.efiMap, v)
		}
	}
	p.keep(pc, amd64ParamEFI, 0x20)
	p.keep(pc, amd64ParamSecureBoot, 1)
	le.PutUint32(p.page[memdescSize:], amd64EFIEntry)
	le.PutUint32(p.page[memdescVersion:], version)
	le.PutUint32(p.page[memmapSize:], uint32(len(p.efiMap))) //nolint:gosec // one directory of sysfs for each entry

	data := make([]byte, amd64EFIData)
	for i, v := range []Addr{pc.EFI.FWVendor, 0, pc.EFI.Tables, pc.EFI.SMBIOS} {
		le.PutUint64(data[8*i:], uint64(v))
	}
	p.nodes = append(p.nodes, amd64Node{amd64DataEFI, data})
}

// setInitrd implements bootParams.
func (p *amd64Params) setInitrd(r Range) string {
	p.putHalves(amd64ParamInitrd, amd64ParamInitrdHigh, r.Start)
	p.putHalves(amd64ParamInitrdSize, amd64ParamInitrdSizeHi, r.Size())
	return "boot_params ramdisk_image"
}

// setList implements bootParams.
func (p *amd64Params) setList(r Range) string {
	i := slices.IndexFunc(p.nodes, func(n amd64Node) bool { return n.kind == amd64DataList })
	binary.LittleEndian.PutUint64(p.nodes[i].data, uint64(r.Start))
	binary.LittleEndian.PutUint64(p.nodes[i].data[8:], uint64(r.Size()))
	return "setup_data SETUP_IMA"
}

// cmdlineSize is the room for the command line: as much as kernels map.
func (p *amd64Params) cmdlineSize() Addr {
	size, _ := alignUp(Addr(len(p.cmdline)+1), 8)
	return max(size, amd64CmdlineRoom)
}

// size is that of blob's result, in bytes.
func (p *amd64Params) size() Addr {
	size := amd64ParamsSize + p.cmdlineSize()
	for _, n := range p.nodes {
		size += n.size()
	}
	return size + Addr(len(p.efiMap))
}

func (n amd64Node) size() Addr {
	size, _ := alignUp(amd64NodeHeader+Addr(len(n.data)), 8)
	return size
}

// blob returns the segment's contents if it lies at an address.
func (p *amd64Params) blob(at Addr) []byte {
	const memmap, memmapHigh = amd64ParamEFI + 16, amd64ParamEFI + 28
	le := binary.LittleEndian
	out := make([]byte, p.size())
	next := Addr(amd64ParamsSize)
	p.putHalves(amd64ParamCmdline, amd64ParamCmdlineHigh, at+next)
	copy(out[next:], p.cmdline)
	next += p.cmdlineSize()

	link := p.page[amd64ParamData:]
	for _, n := range p.nodes {
		le.PutUint64(link, uint64(at+next))
		node := out[next:]
		le.PutUint32(node[8:], n.kind)
		le.PutUint32(node[12:], uint32(len(n.data))) //nolint:gosec // far below 4 GiB
		copy(node[amd64NodeHeader:], n.data)
		link, next = node, next+n.size()
	}
	if len(p.efiMap) > 0 {
		p.putHalves(memmap, memmapHigh, at+next)
		copy(out[next:], p.efiMap)
	}
	copy(out, p.page)
	return out
}

// setupHeader returns the image's setup header. An ELF kernel reads no more of it
// than the version, which it is given.
func (k *amd64Image) setupHeader() []byte {
	if k.header != nil {
		return k.header
	}
	h := make([]byte, amd64HdrLeast-amd64HdrStart)
	at := func(offset int) []byte { return h[offset-amd64HdrStart:] }
	le := binary.LittleEndian
	le.PutUint16(at(amd64HdrBootFlag), 0xaa55)
	copy(at(amd64HdrMagicAt), amd64HdrMagic)
	le.PutUint16(at(amd64HdrVersion), amd64InfoVersion)
	le.PutUint16(at(amd64HdrXLoadFlags), k.flags)
	return h
}

// checkParams refuses what the boot protocol cannot express, and what the
// kernel could not run with.
func (k *amd64Image) checkParams(m *Machine, t *Target) error {
	pc := m.PC
	switch {
	case t.Tree != nil:
		return fmt.Errorf("%w: amd64 kernels take none from a loader", ErrBadTree)
	case pc == nil || len(pc.BootParams) != amd64ParamsSize:
		return fmt.Errorf("%w: the running kernel's boot_params are missing", ErrMachine)
	case pc.FiveLevel && k.flags&amd64FiveLevel == 0:
		return fmt.Errorf("%w: it does not know the page tables of 5 levels that are in use", ErrNotKernel)
	}
	if k.efi(pc) && !slices.ContainsFunc(pc.Map, func(e MapEntry) bool { return e.Contains(rangeOf(pc.EFI.Tables, 1)) }) {
		return fmt.Errorf("%w: EFI's configuration tables at %v are in no memory of the firmware's map", ErrMachine, pc.EFI.Tables)
	}
	return nil
}
