// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"
)

// s390xTestImage is the smallest flat image that looks like a kernel.
func s390xTestImage(size int, features uint64) []byte {
	image := make([]byte, size)
	for i := s390xParm + 0x1000 + s390xParmCmdline; i < size; i++ {
		image[i] = byte(i)
	}
	copy(image[s390xMagicAt:], s390xMagic)
	area := image[s390xParm:]
	put := func(offset int, v uint64) { binary.BigEndian.PutUint64(area[offset:], v) }
	put(s390xParmCmdlineSize, 4096)
	put(s390xParmFeatures, features)
	put(s390xParmInitrdStart, 0x1234)
	put(s390xParmOldmemSize, 0x5678)
	copy(area[s390xParmCmdline:], "root=/dev/ram0 ro")
	const trailerSize = 32
	clear(image[size-trailerSize:])
	copy(image[size-len(s390xTrailer):], s390xTrailer)
	return image
}

// s390xTestELF puts a flat image into an ELF file like arch/s390/boot/vmlinux.
func s390xTestELF(t testing.TB, image []byte, bss uint64) []byte {
	t.Helper()
	const offset = 0x1000
	var b bytes.Buffer
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_S390), Version: 1,
		Entry: s390xEntry, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2MSB), 1},
	}
	prog := elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: 7, Off: offset, Filesz: uint64(len(image)), Memsz: uint64(len(image)) + bss, Align: offset}
	for _, v := range []any{header, prog} {
		if err := binary.Write(&b, binary.BigEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	return append(append(b.Bytes(), make([]byte, offset-b.Len())...), image...)
}

// TestS390XKernelBytes checks that memory will hold the image, except for the
// fields that are set, and that only the pages of the parameter area are copied.
func TestS390XKernelBytes(t *testing.T) {
	target := s390xTestTarget()
	flat := bytes.Clone(target.Kernel)
	for _, tt := range []struct {
		name   string
		image  []byte
		end    Addr
		offset int // of the flat image
	}{
		{"flat", bytes.Clone(flat), s390xTestSize, 0},
		{"ELF", s390xTestELF(t, flat, 0x2345), s390xTestSize + 0x3000, 0x1000},
		{"signed", append(append(bytes.Clone(flat), "signature"...), "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09"+moduleSignature...), s390xTestSize, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target.Kernel = tt.image
			p, err := s390x{}.Plan(s390xTestMachine(), target, nil)
			if err != nil {
				t.Fatal(err)
			}
			memory := make([]byte, 0x400000)
			var end Addr
			for _, s := range p.Segments {
				if s.Name == "parameters" || s.Name == SegmentKernel {
					copy(memory[s.Start:s.End], s.Data)
					end = s.End
				}
			}
			if end != tt.end {
				t.Errorf("the kernel ends at %v, want %v", end, tt.end)
			}
			const areaEnd = s390xParm + s390xParmCmdline + 4096
			if !bytes.Equal(memory[s390xEntry:s390xParm], flat[s390xEntry:s390xParm]) || !bytes.Equal(memory[areaEnd:len(flat)], flat[areaEnd:]) {
				t.Error("memory is not the image")
			}
			if !bytes.Equal(tt.image[tt.offset:][:len(flat)], flat) {
				t.Error("the image was changed")
			}
			if s := needSegment(t, p, SegmentKernel); &s.Data[len(s.Data)-1] != &tt.image[tt.offset+len(flat)-1] {
				t.Error("the kernel was copied")
			}
		})
	}
}
