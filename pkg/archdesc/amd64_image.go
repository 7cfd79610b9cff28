// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
)

// Offsets in the setup header of a bzImage, which are those of struct
// boot_params too (arch/x86/include/uapi/asm/bootparam.h and
// Documentation/arch/x86/boot.rst). Numbers are little-endian.
const (
	amd64HdrStart      = 0x1f1 // setup_sects, one byte
	amd64HdrSysSize    = 0x1f4 // four bytes, in units of 16 bytes
	amd64HdrBootFlag   = 0x1fe
	amd64HdrJump       = 0x201 // one byte: the header ends so far behind it
	amd64HdrMagicAt    = 0x202
	amd64HdrMagic      = "HdrS"
	amd64HdrVersion    = 0x206
	amd64HdrText       = 0x20e // two bytes: the version's text, less 0x200
	amd64HdrLoader     = 0x210
	amd64HdrLoadFlags  = 0x211
	amd64HdrAlign      = 0x230
	amd64HdrMovable    = 0x234 // one byte
	amd64HdrXLoadFlags = 0x236
	amd64HdrCmdline    = 0x238 // longest command line in bytes, without the NUL
	amd64HdrSubarch    = 0x23c
	amd64HdrPayload    = 0x248 // offset and length, four bytes each
	amd64HdrPreferred  = 0x258
	amd64HdrInitSize   = 0x260
	amd64HdrInfo       = 0x268 // offset of struct kernel_info
	amd64HdrLeast      = 0x26c // bytes of a file that has all of these
	amd64HdrLast       = 0x290 // where the next field of boot_params begins
)

const (
	amd64Sector = 512

	// amd64Entry64 is the offset of the 64-bit entry in the protected-mode
	// code.
	amd64Entry64 = 0x200

	// amd64Version is the first protocol with xloadflags.
	amd64Version = 0x020c

	amd64LoadedHigh = 1 << 0 // of loadflags

	// Bits of xloadflags.
	amd64Kernel64  = 1 << 0
	amd64Above4G   = 1 << 1
	amd64EFIKexec  = 1 << 4
	amd64FiveLevel = 1 << 5

	// amd64MaxAlign is the largest CONFIG_PHYSICAL_ALIGN, in bytes.
	amd64MaxAlign = 16 << 20
	// amd64ELFAlign is how an ELF kernel may be moved: by the size of a
	// page of its first page table (arch/x86/boot/startup/map_kernel.c).
	amd64ELFAlign = 2 << 20
	// amd64LongestCmdline is COMMAND_LINE_SIZE, which has not changed since
	// the first kernel of this architecture. An ELF file does not tell.
	amd64LongestCmdline = 2048
)

const (
	// amd64InfoVersion is the first protocol with struct kernel_info, that of
	// Linux 5.5.
	amd64InfoVersion = 0x020f
	amd64InfoMagic   = "LToP"
	amd64InfoTypeMax = 12 // the highest type of setup_data
	amd64InfoSize    = 16
)

// amd64Image is a kernel that is loaded in one piece: the protected-mode code
// of a bzImage, which unpacks itself, or the loads of an ELF file.
type amd64Image struct {
	header []byte // the setup header, from amd64HdrStart on; nil of an ELF file
	loads  []elfLoad
	// size is the memory that the kernel uses before it knows what is
	// reserved, preferred the lowest address at which it stays.
	size, preferred, align Addr
	// entry is an offset.
	entry   Addr
	cmdline Addr // bytes of the command line with its NUL
	flags   uint16
	// payload is the packed kernel, and info struct kernel_info, which may
	// be nil.
	payload, info []byte
}

// parseAMD64Image reads a bzImage or an ELF vmlinux. It copies nothing. Errors
// wrap ErrNotKernel and name what the image is instead.
func parseAMD64Image(image []byte) (*amd64Image, error) {
	if bytes.HasPrefix(image, []byte(elf.ELFMAG)) {
		return parseAMD64ELF(image)
	}
	if len(image) < amd64HdrLeast || string(image[amd64HdrMagicAt:][:len(amd64HdrMagic)]) != amd64HdrMagic {
		return nil, fmt.Errorf("%w: %s", ErrNotKernel, amd64Foreign(image))
	}
	if err := checkAMD64Header(image); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	k := &amd64Image{
		header:    image[amd64HdrStart:min(amd64HdrMagicAt+int(image[amd64HdrJump]), amd64HdrLast, len(image))],
		size:      Addr(le.Uint32(image[amd64HdrInitSize:])),
		preferred: Addr(le.Uint64(image[amd64HdrPreferred:])),
		align:     Addr(le.Uint32(image[amd64HdrAlign:])),
		entry:     amd64Entry64,
		cmdline:   Addr(le.Uint32(image[amd64HdrCmdline:])) + 1,
		flags:     le.Uint16(image[amd64HdrXLoadFlags:]),
	}
	code, err := amd64ProtectedCode(image)
	if err != nil {
		return nil, err
	}
	if Addr(len(code)) > k.size {
		return nil, fmt.Errorf("%w: %d bytes of code for init_size %v", ErrNotKernel, len(code), k.size)
	}
	k.loads = []elfLoad{{0, k.size, code}}
	k.payload = amd64Part(code, le.Uint32(image[amd64HdrPayload:]), le.Uint32(image[amd64HdrPayload+4:]))
	if k.payload == nil {
		return nil, fmt.Errorf("%w: its packed kernel is not inside the file", ErrNotKernel)
	}
	if offset := le.Uint32(image[amd64HdrInfo:]); offset != 0 && le.Uint16(image[amd64HdrVersion:]) >= amd64InfoVersion {
		k.info = amd64Part(code, offset, amd64InfoSize)
	}
	return k, nil
}

// checkAMD64Header refuses what cannot be entered in 64-bit mode at any place.
func checkAMD64Header(image []byte) error {
	le := binary.LittleEndian
	name := amd64VersionText(image)
	version, flags := le.Uint16(image[amd64HdrVersion:]), le.Uint16(image[amd64HdrXLoadFlags:])
	align := le.Uint32(image[amd64HdrAlign:])
	var what string
	switch {
	case strings.HasPrefix(name, "Memtest"):
		what = fmt.Sprintf("%s, which is no Linux", name)
	case le.Uint16(image[amd64HdrBootFlag:]) != 0xaa55:
		what = "a setup header without boot_flag"
	case version < amd64Version:
		what = fmt.Sprintf("boot protocol %d.%02d, and %d.%02d is needed: an old or 32-bit kernel", version>>8, version&0xff, amd64Version>>8, amd64Version&0xff)
	case image[amd64HdrLoadFlags]&amd64LoadedHigh == 0:
		what = "a zImage, which is loaded below 1 MiB"
	case flags&amd64Kernel64 == 0:
		what = "a 32-bit kernel"
	case image[amd64HdrMovable] == 0 || flags&amd64Above4G == 0:
		what = "a kernel that cannot be moved"
	case bits.OnesCount32(align) != 1 || align < amd64Page || align > amd64MaxAlign:
		what = fmt.Sprintf("a setup header with kernel_alignment %#x", align)
	case le.Uint32(image[amd64HdrInitSize:]) == 0:
		what = "a setup header without init_size"
	case amd64HdrMagicAt+int(image[amd64HdrJump]) < amd64HdrInitSize+4:
		what = fmt.Sprintf("a setup header that ends at %#x", amd64HdrMagicAt+int(image[amd64HdrJump]))
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrNotKernel, what)
}

// amd64ProtectedCode returns what is loaded: the file behind its setup sectors,
// without a signature at the end.
func amd64ProtectedCode(image []byte) ([]byte, error) {
	const byteUnits, defaultSectors = 16, 4
	sectors := int(image[amd64HdrStart])
	if sectors == 0 {
		sectors = defaultSectors
	}
	start := (sectors + 1) * amd64Sector
	size := uint64(binary.LittleEndian.Uint32(image[amd64HdrSysSize:])) * byteUnits
	if start > len(image) || size > uint64(len(image)-start) {
		return nil, fmt.Errorf("%w: cut short: %d bytes of setup and %d of code, the file has %d", ErrNotKernel, start, size, len(image))
	}
	if size <= amd64Entry64 {
		return nil, fmt.Errorf("%w: %d bytes of code", ErrNotKernel, size)
	}
	return image[start:][:size], nil
}

// amd64Part returns size bytes of the code, or nil if it has fewer there.
func amd64Part(code []byte, offset, size uint32) []byte {
	if uint64(offset)+uint64(size) > uint64(len(code)) {
		return nil
	}
	return code[offset:][:size]
}

// amd64VersionText returns the text that names the kernel in a setup header, or
// "".
func amd64VersionText(image []byte) string {
	const base, most = 0x200, 256
	at := int(binary.LittleEndian.Uint16(image[amd64HdrText:]))
	if at == 0 || base+at >= len(image) {
		return ""
	}
	text, _, _ := bytes.Cut(image[base+at:min(base+at+most, len(image))], []byte{0})
	return string(bytes.ToValidUTF8(text, nil))
}

// parseAMD64ELF reads an ELF vmlinux. It is entered where the unpacker of a
// bzImage would, so that nothing moves it at random.
func parseAMD64ELF(image []byte) (*amd64Image, error) {
	if name := amd64Multiboot(image); name != "" {
		return nil, fmt.Errorf("%w: %s", ErrNotKernel, name)
	}
	e, err := parseELF(image, elf.EM_X86_64, binary.LittleEndian)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(image, []byte("Linux version ")) {
		return nil, fmt.Errorf("%w: an ELF program that is no Linux, such as one for PVH", ErrNotKernel)
	}
	entry := Addr(binary.LittleEndian.Uint64(image[24:])) // e_entry, a physical address
	k := &amd64Image{
		loads: e.loads, size: e.size, preferred: e.start, align: amd64ELFAlign,
		entry: entry - e.start, cmdline: amd64LongestCmdline,
		flags: amd64Kernel64 | amd64Above4G | amd64EFIKexec | amd64FiveLevel,
	}
	if entry < e.start || k.entry >= Addr(len(e.loads[0].data)) {
		return nil, fmt.Errorf("%w: entry %v is not in its first segment", ErrNotKernel, entry)
	}
	for _, l := range e.loads {
		if (e.start+l.offset)%amd64Page != 0 {
			return nil, fmt.Errorf("%w: segment at %v is not in whole pages", ErrNotKernel, e.start+l.offset)
		}
	}
	if e.start%amd64ELFAlign != 0 {
		return nil, fmt.Errorf("%w: it starts at %v, which is no multiple of %v", ErrNotKernel, e.start, Addr(amd64ELFAlign))
	}
	return k, nil
}

// amd64Multiboot names a file with the mark of a multiboot program in its first
// 8 KiB (the Multiboot specification 0.6.96), or returns "".
func amd64Multiboot(image []byte) string {
	head := image[:min(len(image), 8<<10)]
	for i := 0; i+4 <= len(head); i += 4 {
		if binary.LittleEndian.Uint32(head[i:]) == 0x1badb002 {
			return "a multiboot program such as Xen"
		}
	}
	return ""
}

// amd64Foreign names a file without a setup header.
func amd64Foreign(image []byte) string {
	switch {
	case len(image) >= 8 && string(image[:2]) == "MZ" && string(image[4:8]) == "zimg":
		return "an EFI zboot image, which x86 does not have"
	case len(image) >= 2 && string(image[:2]) == "MZ":
		return amd64PE(image)
	case len(image) < amd64HdrLeast:
		return fmt.Sprintf("%d bytes, a bzImage has at least %d", len(image), amd64HdrLeast)
	}
	return fmt.Sprintf("no bzImage and no ELF file (first bytes % x)", image[:4])
}

// amd64PE names a program for EFI. The stub of a bzImage makes it one too, but
// such a file has a setup header.
func amd64PE(image []byte) string {
	f, err := pe.NewFile(bytes.NewReader(image))
	switch {
	case err != nil:
		return fmt.Sprintf("a DOS or damaged EFI program (%v)", err)
	case f.Machine != pe.IMAGE_FILE_MACHINE_AMD64:
		return fmt.Sprintf("an EFI program for another machine (%#x)", f.Machine)
	case f.Section(".linux") != nil:
		return "a unified kernel image (UKI)"
	}
	return "an EFI program, such as a boot loader"
}

// segments returns the kernel's segments for a kernel that starts at an
// address. The last one has the memory that the kernel uses.
func (k *amd64Image) segments(start Addr) []Segment {
	var out []Segment
	for i, l := range k.loads {
		r := rangeOf(start+l.offset, l.size)
		if i == len(k.loads)-1 {
			r.End = start + k.size
		}
		r.End, _ = alignUp(r.End, amd64Page)
		out = append(out, Segment{kernelPart(i), r, l.data})
	}
	return out
}
