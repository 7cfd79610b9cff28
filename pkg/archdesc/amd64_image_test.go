// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/internal/testing/petest"
)

const (
	amd64TestSetup   = 5 * amd64Sector // the boot sector and four of setup
	amd64TestPayload = 0x400           // in the protected-mode code
	amd64TestVersion = "7.2.0-test (builder) #1 SMP"
)

// amd64TestELF returns the head of a vmlinux with the given texts in its
// read-only data. Behind the notes follows what nobody has to read.
func amd64TestELF(t testing.TB, texts ...string) []byte {
	t.Helper()
	const offset, notes, end, size = 0x1000, 0x6000, 0x7000, 0x9000
	var b bytes.Buffer
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1,
		Entry: 0x1000010, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 3,
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1},
	}
	for _, v := range []any{
		header,
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: 5, Off: offset, Vaddr: 0xffffffff81000000, Paddr: 0x1000000, Filesz: end - offset, Memsz: end - offset, Align: 2 << 20},
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: 6, Off: end, Vaddr: 0xffffffff81200000, Paddr: 0x1200000, Filesz: size - end, Memsz: 0x123456, Align: 2 << 20},
		elf.Prog64{Type: uint32(elf.PT_NOTE), Off: notes, Filesz: 16, Memsz: 16},
	} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	out := append(b.Bytes(), make([]byte, size-b.Len())...)
	copy(out[offset:], "code")
	copy(out[0x2000:], strings.Join(append(texts, "Linux version 7.2"), "\x00"))
	return out
}

func amd64Gzip(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// amd64TestImage returns the smallest bzImage that looks like a kernel of Linux
// 7.2 with the given payload. It uses 20 MiB of memory.
func amd64TestImage(payload []byte) []byte {
	code := make([]byte, amd64TestPayload, amd64TestPayload+len(payload)+64)
	for i := range code {
		code[i] = byte(i)
	}
	code = append(code, payload...)
	info := len(code)
	code = append(code, amd64InfoMagic...)
	for _, v := range []uint32{16, 16, 10 | 1<<31} {
		code = binary.LittleEndian.AppendUint32(code, v)
	}
	code = append(code, make([]byte, -len(code)&15)...)

	image := append(make([]byte, amd64TestSetup), code...)
	copy(image, "MZ")
	copy(image[0x400:], amd64TestVersion)
	le := binary.LittleEndian
	image[amd64HdrJump] = 0x6a
	image[amd64HdrLoadFlags] = amd64LoadedHigh
	image[amd64HdrMovable] = 1
	le.PutUint32(image[amd64HdrSysSize:], uint32(len(code)/16))
	le.PutUint16(image[amd64HdrBootFlag:], 0xaa55)
	copy(image[amd64HdrMagicAt:], amd64HdrMagic)
	le.PutUint16(image[amd64HdrVersion:], amd64InfoVersion)
	le.PutUint16(image[amd64HdrText:], 0x200)
	le.PutUint32(image[amd64HdrAlign:], 2<<20)
	le.PutUint16(image[amd64HdrXLoadFlags:], 0x7f)
	le.PutUint32(image[amd64HdrCmdline:], 2047)
	le.PutUint32(image[amd64HdrPayload:], amd64TestPayload)
	le.PutUint32(image[amd64HdrPayload+4:], uint32(len(payload)))
	le.PutUint64(image[amd64HdrPreferred:], 16<<20)
	le.PutUint32(image[amd64HdrInitSize:], 20<<20)
	le.PutUint32(image[amd64HdrInfo:], uint32(info))
	return image
}

// amd64TestKernel is an image whose payload restores a list.
func amd64TestKernel(t testing.TB) []byte {
	return amd64TestImage(amd64Gzip(t, amd64TestELF(t, amd64TextNode, amd64TextRestore, amd64TextRange)))
}

func TestAMD64RecogniseBad(t *testing.T) {
	put := func(at int, v ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[at:], v); return b }
	}
	file := func(head string) func([]byte) []byte {
		return func([]byte) []byte { return append([]byte(head), make([]byte, 4096)...) }
	}
	elfWith := func(edit func([]byte)) func([]byte) []byte {
		return func([]byte) []byte { b := amd64TestELF(t); edit(b); return b }
	}
	const ph, entry = 64, 24
	for _, tt := range []struct {
		name string
		edit func([]byte) []byte
		want string
	}{
		{"empty", func([]byte) []byte { return nil }, "0 bytes, a bzImage has at least 620"},
		{"script", file("#!/bin/sh\n"), "no bzImage and no ELF file (first bytes 23 21 2f 62)"},
		{"cut in the header", func(b []byte) []byte { return b[:0x260] }, "a DOS or damaged EFI program"},
		{"cut in the setup", func(b []byte) []byte { return b[:0x800] }, "cut short: 2560 bytes of setup"},
		{"cut short", func(b []byte) []byte { return b[:len(b)-1] }, "cut short"},
		{"no mark", put(amd64HdrMagicAt, 'X'), "a DOS or damaged EFI program"},
		{"no boot flag", put(amd64HdrBootFlag, 0), "without boot_flag"},
		{"old protocol", put(amd64HdrVersion, 0x0b, 2), "boot protocol 2.11, and 2.12 is needed"},
		{"zImage", put(amd64HdrLoadFlags, 0), "a zImage"},
		{"32-bit", put(amd64HdrXLoadFlags, 0x7e), "a 32-bit kernel"},
		{"below 4 GiB", put(amd64HdrXLoadFlags, 0x7d), "cannot be moved"},
		{"not relocatable", put(amd64HdrMovable, 0), "cannot be moved"},
		{"alignment of no power", put(amd64HdrAlign, 1), "kernel_alignment 0x200001"},
		{"alignment of 1 GiB", put(amd64HdrAlign, 0, 0, 0, 0x40), "kernel_alignment 0x40000000"},
		{"no init_size", put(amd64HdrInitSize, 0, 0, 0, 0), "without init_size"},
		{"init_size of a page", put(amd64HdrInitSize, 0, 0x02, 0, 0), "for init_size 0x200"},
		{"short header", put(amd64HdrJump, 0x61), "ends at 0x263"},
		{"no code", put(amd64HdrSysSize, 0x20, 0, 0, 0), "512 bytes of code"},
		{"code beyond the file", put(amd64HdrSysSize, 0xff, 0xff, 0xff, 0xff), "cut short"},
		{"payload beyond the code", put(amd64HdrPayload, 0, 0, 0, 0xff), "packed kernel is not inside"},
		{"length of the payload", put(amd64HdrPayload+4, 0xff, 0xff, 0xff, 0xff), "packed kernel is not inside"},
		{"memtest", func(b []byte) []byte { copy(b[0x400:], "Memtest86+ v6.10\x00"); return b }, "Memtest86+ v6.10, which is no Linux"},
		{"zboot", file("MZ\x00\x00zimg"), "an EFI zboot image"},
		{"EFI program", func([]byte) []byte { return petest.File(petest.AMD64, petest.Section{Name: ".text"}) }, "an EFI program, such as a boot loader"},
		{"UKI", func([]byte) []byte { return petest.File(petest.AMD64, petest.Section{Name: ".linux"}) }, "a unified kernel image (UKI)"},
		{"arm64", func([]byte) []byte { return petest.File(0xaa64, petest.Section{Name: ".text"}) }, "an EFI program for another machine (0xaa64)"},
		{"Xen", func([]byte) []byte {
			b := amd64TestELF(t)
			binary.LittleEndian.PutUint32(b[0x1000:], 0x1badb002)
			return b
		}, "a multiboot program such as Xen"},
		{"ELF of another machine", elfWith(func(b []byte) { b[18] = byte(elf.EM_PPC64) }), "for EM_PPC64"},
		{"ELF without Linux", elfWith(func(b []byte) { clear(b[0x2000:0x3000]) }), "no Linux, such as one for PVH"},
		{"ELF with a bad entry", elfWith(func(b []byte) { b[entry+3] = 0xff }), "entry 0xff000010"},
		{"ELF at an odd address", elfWith(func(b []byte) {
			b[entry+1], b[ph+24+1] = 0x10, 0x10
		}), "starts at 0x1001000"},
		{"ELF in parts of pages", elfWith(func(b []byte) { b[ph+56+24] = 1 }), "not in whole pages"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := amd64{}.Recognise(tt.edit(amd64TestKernel(t)))
			if !errors.Is(err, ErrNotKernel) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %v with %q", err, ErrNotKernel, tt.want)
			}
		})
	}
}

// TestAMD64Signature leaves a signature behind the code out.
func TestAMD64Signature(t *testing.T) {
	image := amd64TestKernel(t)
	k, err := parseAMD64Image(append(bytes.Clone(image), "signature"...))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(k.loads[0].data, image[amd64TestSetup:]) {
		t.Errorf("%d bytes of code, want %d", len(k.loads[0].data), len(image)-amd64TestSetup)
	}
}

func TestAMD64Restores(t *testing.T) {
	elfOf := func(texts ...string) []byte { return amd64TestELF(t, texts...) }
	packed := func(texts ...string) []byte { return amd64TestImage(amd64Gzip(t, elfOf(texts...))) }
	edit := func(b []byte, at int, v ...byte) []byte { copy(b[at:], v); return b }
	good := packed(amd64TextNode, amd64TextRestore, amd64TextRange)
	info := bytes.LastIndex(good, []byte(amd64InfoMagic))
	cut := func(payload []byte) []byte { return amd64TestImage(payload[:len(payload)/2]) }
	for _, tt := range []struct {
		name  string
		image []byte
		ok    bool
		want  string
	}{
		{"restores", good, true, "packed with gzip holds the text Failed to restore"},
		{"without the range check", packed(amd64TextNode, amd64TextRestore), true, "lacks the range check of Linux 7.0"},
		{"with a device tree", packed(amd64TextNode, amd64TextRestore, amd64TextTree), false, "CONFIG_OF_FLATTREE"},
		{"without IMA", packed(amd64TextNoIMA), false, "without CONFIG_IMA"},
		{"without SETUP_IMA", packed(amd64TextRestore), false, "does not know SETUP_IMA"},
		{"without KEXEC_FILE", packed(amd64TextNode), false, "without CONFIG_KEXEC_FILE"},
		{"no text", packed(), false, "lacks the text " + amd64TextNode},
		{"before 6.0", edit(bytes.Clone(good), info+amd64InfoTypeMax, 7), false, "ends the types of setup_data with 7"},
		{"before 5.5", edit(bytes.Clone(good), amd64HdrInfo, 0, 0, 0, 0), false, "no kernel_info"},
		{"no kernel_info there", edit(bytes.Clone(good), info, 'X'), false, "no kernel_info"},
		{"kernel_info beyond the file", edit(bytes.Clone(good), amd64HdrInfo, 0, 0, 0, 0xff), false, "no kernel_info"},
		{"unknown packing", amd64TestImage([]byte("packed")), false, "unknown compression (first bytes 70 61 63 6b)"},
		{"no payload", amd64TestImage(nil), false, "unknown compression"},
		{"damaged", cut(amd64Gzip(t, elfOf(amd64TextNode))), false, "it is unknown whether"},
		{"no ELF", amd64TestImage(amd64Gzip(t, make([]byte, 1<<20))), false, "no ELF kernel is packed in it"},
		{"shorter than its headers", amd64TestImage(amd64Gzip(t, elfOf(amd64TextNode)[:0x1800])), false, "unexpected EOF"},
		{"ELF", elfOf(amd64TextNode, amd64TextRestore, amd64TextRange), true, "the ELF kernel holds the text"},
		{"ELF with a device tree", elfOf(amd64TextNode, amd64TextRestore, amd64TextTree), false, "CONFIG_OF_FLATTREE"},
		{"no kernel", nil, false, "not a bootable kernel"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if s := (amd64{}).Restores(tt.image); s.OK != tt.ok || !strings.Contains(s.Evidence, tt.want) {
				t.Errorf("%+v, want %v with %q", s, tt.ok, tt.want)
			}
		})
	}
}

// TestAMD64Packings reads a kernel packed by the tools that kernels are packed by.
// testdata/packed/make.sh makes the other files from that of gzip.
func TestAMD64Packings(t *testing.T) {
	const first = "testdata/packed/gzip"
	want := amd64TestELF(t, amd64TextNode, amd64TextRestore, amd64TextRange)
	if *update {
		if err := os.WriteFile(first, amd64Gzip(t, want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	p, err := findPayload(b)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.unpack(len(want) + 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s is out of date: run this test with -update, then make.sh beside it (%v)", first, err)
	}
	for _, p := range packings {
		b, err := os.ReadFile(filepath.Join("testdata/packed", p.name))
		if err != nil {
			t.Fatal(err)
		}
		if p.sized {
			b = binary.LittleEndian.AppendUint32(b, uint32(len(want)))
		}
		s := (amd64{}).Restores(amd64TestImage(b))
		if p.name == "lzo" {
			if s.OK || !strings.Contains(s.Evidence, "it is unknown whether the packed kernel restores a list: lzo: imaboot cannot unpack it") {
				t.Errorf("lzo: %+v", s)
			}
			continue
		}
		if !s.OK || !strings.Contains(s.Evidence, "the kernel packed with "+p.name) {
			t.Errorf("%s: %+v", p.name, s)
		}
	}
}

func TestAMD64Unpacks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		image []byte
		want  bool
	}{
		{"bzImage", amd64TestKernel(t), true},
		{"ELF without the code", amd64TestELF(t), false},
		{"ELF", amd64TestELF(t, unpackTexts[0]), true},
	} {
		if s := (amd64{}).Unpacks(tt.image, nil); s.OK != tt.want {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

func TestTextSearch(t *testing.T) {
	const stream = "xxabcabdxx"
	for size := 1; size <= len(stream); size++ {
		s := newTextSearch("abd", "xxa", "dxx", "cc")
		for rest := stream; rest != ""; rest = rest[min(size, len(rest)):] {
			if _, err := s.Write([]byte(rest[:min(size, len(rest))])); err != nil {
				t.Fatal(err)
			}
		}
		if !s.found["abd"] || !s.found["xxa"] || !s.found["dxx"] || s.found["cc"] {
			t.Errorf("in pieces of %d: %v", size, s.found)
		}
	}
}

// emptyBlockXZ has a block without a header.
const emptyBlockXZ = "\xfd7zXZ\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// TestEmptyBlockXZ is damaged input that an unpacker refuses.
func TestEmptyBlockXZ(t *testing.T) {
	if s := (amd64{}).Restores(amd64TestImage([]byte(emptyBlockXZ))); s.OK || !strings.Contains(s.Evidence, "xz") {
		t.Errorf("%+v", s)
	}
}

// FuzzAMD64Recognise reads images that no compiler would make.
func FuzzAMD64Recognise(f *testing.F) {
	f.Add(amd64TestKernel(f))
	f.Add(amd64TestELF(f, amd64TextNode))
	for _, p := range packings {
		b, err := os.ReadFile(filepath.Join("testdata/packed", p.name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(amd64TestImage(append(b, make([]byte, 4)...)))
	}
	f.Add(amd64TestImage([]byte(emptyBlockXZ)))
	f.Add(petest.File(petest.AMD64, petest.Section{Name: ".linux"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := parseAMD64Image(b)
		if err != nil {
			if !errors.Is(err, ErrNotKernel) {
				t.Error(err)
			}
			return
		}
		for _, s := range k.segments(k.preferred) {
			if Addr(len(s.Data)) > s.Size() {
				t.Errorf("%s: %d bytes in %v", s.Name, len(s.Data), s.Range)
			}
		}
		if s := k.restores(b); s.Evidence == "" {
			t.Error("no evidence")
		}
	})
}
