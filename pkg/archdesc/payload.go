// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/therootcompany/xz"
	"github.com/ulikunitz/xz/lzma"
)

const (
	// maxWindow bounds what an unpacker keeps to look back at, in bytes.
	// Kernels are packed with 128 MiB at most (scripts/Makefile.lib). Only
	// as much of it is touched as is unpacked.
	maxWindow = 128 << 20

	// maxPayload bounds an unpacked kernel, in bytes.
	maxPayload = 256 << 20
)

// packings are the compressions of kernels that unpack themselves
// (arch/x86/boot/compressed/Makefile).
var packings = []struct {
	name, magic string
	// sized: the unpacked size follows, in four bytes.
	sized bool
	open  func([]byte) (io.Reader, error)
}{
	{"gzip", "\x1f\x8b", false, func(b []byte) (io.Reader, error) { return gzip.NewReader(bytes.NewReader(b)) }},
	// That of pkg/target lacks the filter for x86 code.
	{"xz", "\xfd7zXZ\x00", true, func(b []byte) (io.Reader, error) { return xz.NewReader(bytes.NewReader(b), maxWindow) }},
	{"zstd", "\x28\xb5\x2f\xfd", true, func(b []byte) (io.Reader, error) {
		d, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}},
	{"lz4", "\x02\x21\x4c\x18", true, func(b []byte) (io.Reader, error) { return lz4.NewReader(bytes.NewReader(b)), nil }},
	{"lzma", "\x5d\x00\x00", true, openLZMA},
	{"bzip2", "BZh", true, func(b []byte) (io.Reader, error) { return bzip2.NewReader(bytes.NewReader(b)), nil }},
	{"lzo", "\x89LZO", true, func([]byte) (io.Reader, error) { return nil, errors.New("imaboot cannot unpack it") }},
}

// openLZMA checks the window, which the library allocates whatever its size.
func openLZMA(b []byte) (io.Reader, error) {
	const window = 1 // offset of the size
	if len(b) < lzma.HeaderLen || binary.LittleEndian.Uint32(b[window:]) > maxWindow {
		return nil, errors.New("bad header")
	}
	return lzma.NewReader(bytes.NewReader(b))
}

// unpack returns a reader of a packed kernel, and the name of its compression,
// which is "" if it is not known.
func unpack(b []byte) (io.Reader, string, error) {
	const size = 4
	for _, p := range packings {
		if !bytes.HasPrefix(b, []byte(p.magic)) {
			continue
		}
		if p.sized {
			b = b[:len(b)-min(size, len(b))]
		}
		r, err := p.open(b)
		return r, p.name, err
	}
	return nil, "", fmt.Errorf("unknown compression (first bytes % x)", b[:min(4, len(b))])
}

// A textSearch looks for texts in a stream. It keeps only as much of the stream
// as a text may have begun in.
type textSearch struct {
	texts []string
	found map[string]bool
	tail  []byte
}

func newTextSearch(texts ...string) *textSearch {
	return &textSearch{texts: texts, found: map[string]bool{}}
}

// Write implements io.Writer.
func (s *textSearch) Write(p []byte) (int, error) {
	longest := 0
	for _, text := range s.texts {
		longest = max(longest, len(text))
		if s.found[text] {
			continue
		}
		seam := append(bytes.Clone(s.tail), p[:min(len(p), len(text)-1)]...)
		s.found[text] = bytes.Contains(p, []byte(text)) || bytes.Contains(seam, []byte(text))
	}
	s.tail = append(s.tail, p[max(0, len(p)-longest):]...)
	s.tail = bytes.Clone(s.tail[max(0, len(s.tail)-longest):])
	return len(p), nil
}

// searchKernel searches the read-only data of a packed vmlinux for texts, and
// unpacks no more than it has to: done says whether the texts found so far are
// all that matter in data which ends where the notes begin.
func searchKernel(r io.Reader, s *textSearch, done func() bool) error {
	head := make([]byte, 4<<10)
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	notes, end, err := readOnlyEnd(head)
	if err != nil {
		return err
	}
	at := uint64(len(head))
	for _, until := range []uint64{notes, end} {
		n, err := io.CopyBuffer(struct{ io.Writer }{s}, io.LimitReader(r, int64(until-min(at, until))), make([]byte, 64<<10)) //nolint:gosec // below maxPayload
		if err != nil {
			return err
		}
		if at += uint64(n); at < until { //nolint:gosec // not negative
			return fmt.Errorf("%w: %d bytes of %d", io.ErrUnexpectedEOF, at, until)
		}
		if done() {
			return nil
		}
	}
	return nil
}

// readOnlyEnd reads the head of a vmlinux. The first segment that is loaded holds
// code and read-only data. The notes in it follow all texts since Linux 5.6, and
// have a program header of their own (RO_DATA of
// include/asm-generic/vmlinux.lds.h). If they lie elsewhere, notes is end.
func readOnlyEnd(head []byte) (notes, end uint64, err error) {
	const phoff, phnum, phsize = 32, 56, 56
	le := binary.LittleEndian
	if string(head[:len(elf.ELFMAG)]) != elf.ELFMAG || elf.Class(head[4]) != elf.ELFCLASS64 {
		return 0, 0, errors.New("no ELF kernel is packed in it")
	}
	at, n := le.Uint64(head[phoff:]), uint64(le.Uint16(head[phnum:]))
	if at > uint64(len(head)) || n*phsize > uint64(len(head))-at {
		return 0, 0, errors.New("the ELF kernel in it has no program headers at its front")
	}
	var start, note uint64
	for i := range n {
		p := head[at+i*phsize:]
		offset, size := le.Uint64(p[8:]), le.Uint64(p[32:])
		switch elf.ProgType(le.Uint32(p)) {
		case elf.PT_LOAD:
			if end == 0 && offset < maxPayload && size < maxPayload-offset {
				start, end = offset, offset+size
			}
		case elf.PT_NOTE:
			note = offset
		}
	}
	if end <= uint64(len(head)) {
		return 0, 0, errors.New("the ELF kernel in it has nothing to load")
	}
	if note <= start || note > end {
		note = end
	}
	return note, end, nil
}
