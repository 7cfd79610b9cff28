// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package hostile makes files that would take all memory or time of a loader that
// believes them. All are small on a disk: they are packed, or consist of holes.
package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// A File is one that a loader is made to open.
type File struct {
	// Name is the name of the file, without blanks.
	Name string
	// Refusal is the name of the refusal that it ends in, on a machine with
	// 512 MiB or less. It is "" for an initrd that is refused only by what is done
	// with it.
	Refusal string
	make    func(f *os.File) error
}

// Write makes the file.
func (h File) Write(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	err = h.make(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

const tooLarge = "too-large"

// Kernels are files that are named as a kernel.
func Kernels() []File {
	return []File{
		// The property byte 40 of its block is 4 GiB - 1.
		{"xz-dictionary", tooLarge, digits("fd377a585a000001 6922de36 0200210128000000 e6a011b3 0100007800")},
		{"zstd-window-1g", tooLarge, digits("28b52ffd 00 a0 010000")},
		{"zstd-window-512m", tooLarge, digits("28b52ffd 00 98 010000")},
		{"zstd-segment", tooLarge, digits("28b52ffd e0 ffffffffffffff7f 010000")},
		{"xz-bomb", tooLarge, bomb(xzWriter)},
		{"gzip-bomb", tooLarge, bomb(gzipWriter)},
		{"zstd-bomb", tooLarge, bomb(zstdWriter)},
		{"sparse-kernel", tooLarge, hole("", 1<<40)},
		{"gzip-tail", "bad-file", hole("\x1f\x8b\x08", 50<<20)},
		{"elf-sections", "not-a-kernel", elfSections},
		{"elf-programs", "not-a-kernel", elfPrograms},
	}
}

// Initrds are files that are named as an initrd.
func Initrds() []File {
	return []File{
		{"sparse-initrd", tooLarge, hole("", 8<<30)},
		// What unpacks it would notice; this machine only skips the zeros.
		{"zeros-initrd", "", hole("", 64<<20)},
	}
}

// Trees are files that are named as a device tree.
func Trees() []File {
	return []File{
		{"sparse-tree", tooLarge, hole("\xd0\x0d\xfe\xed", 1<<40)},
		{"tree-names", "bad-device-tree", treeNames},
	}
}

func digits(text string) func(*os.File) error {
	return func(f *os.File) error {
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			return err
		}
		_, err = f.Write(b)
		return err
	}
}

// hole is a file that ends in zeros, which take no place on a disk.
func hole(head string, size int64) func(*os.File) error {
	return func(f *os.File) error {
		if _, err := f.WriteString(head); err != nil {
			return err
		}
		return f.Truncate(size)
	}
}

func gzipWriter(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }
func xzWriter(w io.Writer) (io.WriteCloser, error)   { return xz.NewWriter(w) }
func zstdWriter(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }

// bomb unpacks to 1 GiB of zeros. All formats can be put one behind the other.
func bomb(pack func(io.Writer) (io.WriteCloser, error)) func(*os.File) error {
	return func(f *os.File) error {
		const part, parts = 16 << 20, 64
		var packed bytes.Buffer
		w, err := pack(&packed)
		if err != nil {
			return err
		}
		if _, err := w.Write(make([]byte, part)); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		_, err = f.Write(bytes.Repeat(packed.Bytes(), parts))
		return err
	}
}

// elfHead is the header of an executable for s390x, with tables of any size.
func elfHead(edit func(b []byte)) string {
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x02\x01")
	binary.BigEndian.PutUint16(b[0x10:], 2)  // ET_EXEC
	binary.BigEndian.PutUint16(b[0x12:], 22) // EM_S390
	binary.BigEndian.PutUint32(b[0x14:], 1)
	edit(b)
	return string(b)
}

// elfSections has 600,000 sections. Section 0 has their number, as in files with
// more than 65280.
func elfSections(f *os.File) error {
	const at, size, sections = 0x1000, 40 << 20, 600_000
	head := elfHead(func(b []byte) {
		binary.BigEndian.PutUint64(b[0x28:], at)
		binary.BigEndian.PutUint16(b[0x3a:], 64)
	})
	if err := hole(head, size)(f); err != nil {
		return err
	}
	_, err := f.WriteAt(binary.BigEndian.AppendUint64(nil, sections), at+0x20)
	return err
}

// elfPrograms has 65535 program headers of 512 bytes.
func elfPrograms(f *os.File) error {
	return hole(elfHead(func(b []byte) {
		binary.BigEndian.PutUint64(b[0x20:], 64)
		binary.BigEndian.PutUint16(b[0x36:], 1<<9)
		binary.BigEndian.PutUint16(b[0x38:], 0xffff)
	}), 40<<20)(f)
}

// treeNames has 50000 properties, whose common name has 1 MiB.
func treeNames(f *os.File) error {
	const head, reservations, properties, name = 40, 16, 50_000, 1 << 20
	var structure []byte
	word := func(v uint32) { structure = binary.BigEndian.AppendUint32(structure, v) }
	word(1) // a node begins, without a name
	word(0)
	for range properties {
		for _, v := range []uint32{3, 0, 0} { // property, size, name
			word(v)
		}
	}
	word(2)
	word(9)
	var b []byte
	strings := uint32(head + reservations + len(structure))
	for _, v := range []uint32{
		0xd00dfeed, strings + name, head + reservations, strings, head, 17, 16, 0, name, uint32(len(structure)),
	} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = append(append(b, make([]byte, reservations)...), structure...)
	b = append(b, bytes.Repeat([]byte{'n'}, name-1)...)
	_, err := f.Write(append(b, 0))
	return err
}
