// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// ppc64leTestImage returns the smallest ppc64le ELF file that looks like a
// kernel. It has size bytes of content with text in it, and bss up to memory
// bytes.
func ppc64leTestImage(t testing.TB, size, memory uint64, text string) []byte {
	t.Helper()
	const offset = 0x10000
	var b bytes.Buffer
	header := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_PPC64), Version: 1,
		Entry: 0xc000000000000000, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1},
	}
	prog := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: 7, Off: offset, Vaddr: 0xc000000000000000,
		Filesz: size, Memsz: memory, Align: offset,
	}
	for _, v := range []any{header, prog} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	image := make([]byte, offset+size)
	copy(image, b.Bytes())
	for i := range size {
		image[offset+i] = byte(i)
	}
	copy(image[offset+0x200:], text)
	return image
}

func TestPPC64LERecogniseBad(t *testing.T) {
	put := func(off int, v ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[off:], v); return b }
	}
	const ph = 64
	for _, tt := range []struct {
		name string
		edit func([]byte) []byte
		want string
	}{
		{"empty", func([]byte) []byte { return nil }, "no ELF file"},
		{"x86 kernel", func([]byte) []byte { return bytes.Repeat([]byte{'M', 'Z'}, 100) }, "no ELF file (first bytes 4d 5a"},
		{"header only", func(b []byte) []byte { return b[:64] }, ""},
		{"other machine", put(18, byte(elf.EM_S390)), "for EM_S390"},
		{"big-endian", func(b []byte) []byte {
			b[5] = byte(elf.ELFDATA2MSB)
			copy(b[16:], []byte{0, 3, 0, 21, 0, 0, 0, 1})
			clear(b[32:48])
			clear(b[54:64])
			return b
		}, "BigEndian"},
		{"object file", put(16, byte(elf.ET_REL), 0), "cannot be executed"},
		{"nothing to load", put(ph, byte(elf.PT_NOTE)), "nothing to load"},
		{"interpreter", put(ph, byte(elf.PT_INTERP)), "interpreter"},
		{"cut short", func(b []byte) []byte { return b[:len(b)-1] }, "cut short"},
		{"offset beyond the file", put(ph+8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), ""},
		{"more in the file than in memory", put(ph+40, 1, 0), "cut short"},
		{"wraps", func(b []byte) []byte {
			binary.LittleEndian.PutUint64(b[ph+24:], 1<<63)
			binary.LittleEndian.PutUint64(b[ph+40:], 1<<63+0x10000)
			return b
		}, "wraps"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := ppc64le{}.Recognise(tt.edit(ppc64leTestImage(t, 0x2000, 0x3000, "")))
			if !errors.Is(err, ErrNotKernel) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %v with %q", err, ErrNotKernel, tt.want)
			}
		})
	}
}

// TestELFTables: tables of any size, in a file that may be a hole, are neither
// read nor allocated.
func TestELFTables(t *testing.T) {
	const sections, names = 0x18000, 0x20000
	image := append(ppc64leTestImage(t, 0x2000, 0x3000, ""), make([]byte, 64<<20)...)
	order := binary.LittleEndian
	order.PutUint64(image[0x28:], sections) // e_shoff
	order.PutUint16(image[0x3a:], 64)       // e_shentsize
	order.PutUint16(image[0x3c:], 0)        // e_shnum: it is in section 0
	order.PutUint64(image[sections+0x20:], 1<<19)
	order.PutUint64(image[sections+0x18:], names)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := ppc64le{}.Recognise(image)
	if runtime.ReadMemStats(&after); err != nil || after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("%v, %d bytes allocated", err, after.TotalAlloc-before.TotalAlloc)
	}
	order.PutUint16(image[0x36:], 1<<10) // e_phentsize
	order.PutUint16(image[0x38:], 0xffff)
	runtime.ReadMemStats(&before)
	err = ppc64le{}.Recognise(image)
	if runtime.ReadMemStats(&after); !errors.Is(err, ErrNotKernel) || after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("%v, %d bytes allocated", err, after.TotalAlloc-before.TotalAlloc)
	}
}

func FuzzPPC64LERecognise(f *testing.F) {
	f.Add(ppc64leTestImage(f, 0x1000, 0x2000, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := parsePPC64LEImage(b)
		if err != nil {
			return
		}
		for _, l := range k.loads {
			if Addr(len(l.data)) > l.size || l.offset+l.size > k.size {
				t.Errorf("load of %d bytes at %v+%v in a kernel of %v", len(l.data), l.offset, l.size, k.size)
			}
		}
	})
}
