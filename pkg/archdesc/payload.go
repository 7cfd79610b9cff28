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
	"runtime/debug"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/therootcompany/xz"
	"github.com/ulikunitz/xz/lzma"
)

const (
	// maxWindow bounds what an unpacker keeps to look back at, in bytes.
	// Kernels are packed with 128 MiB at most (scripts/Makefile.lib).
	maxWindow = 128 << 20

	// maxPayload bounds what is unpacked of a kernel, in bytes. Code and
	// read-only data of distributions have some 30 MiB.
	maxPayload = 64 << 20

	// probeMemory is what unpackers allocate at most, in bytes: the window,
	// which is no larger than what is unpacked, and tables.
	probeMemory = maxPayload + 24<<20
)

// A packing is a compression of kernels that unpack themselves
// (arch/x86/boot/compressed/Makefile).
type packing struct {
	name, magic string
	// sized: the unpacked size follows, in four bytes.
	sized bool
	// narrow returns the first bytes of b, changed so that they ask for no
	// larger a window. It is nil if windows are small.
	narrow func(b []byte, window int) []byte
	open   func(io.Reader) (io.Reader, error)
}

var packings = []packing{
	{"gzip", "\x1f\x8b", false, nil, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	// That of pkg/target lacks the filter for x86 code.
	{"xz", "\xfd7zXZ\x00", true, narrowXZ, func(r io.Reader) (io.Reader, error) { return xz.NewReader(r, maxWindow) }},
	{"zstd", "\x28\xb5\x2f\xfd", true, narrowZstd, func(r io.Reader) (io.Reader, error) {
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}},
	{"lz4", "\x02\x21\x4c\x18", true, nil, func(r io.Reader) (io.Reader, error) { return lz4.NewReader(r), nil }},
	{"lzma", "\x5d\x00\x00", true, narrowLZMA, func(r io.Reader) (io.Reader, error) {
		return lzma.ReaderConfig{DictCap: maxWindow}.NewReader(r)
	}},
	{"bzip2", "BZh", true, nil, func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{"lzo", "\x89LZO", true, nil, func(io.Reader) (io.Reader, error) { return nil, errors.New("imaboot cannot unpack it") }},
}

// A payload is a packed kernel.
type payload struct {
	packing
	data []byte
}

// findPayload tells how a kernel is packed.
func findPayload(b []byte) (payload, error) {
	const size = 4
	for _, p := range packings {
		if !bytes.HasPrefix(b, []byte(p.magic)) {
			continue
		}
		if p.sized {
			b = b[:len(b)-min(size, len(b))]
		}
		return payload{p, b}, nil
	}
	return payload{}, fmt.Errorf("unknown compression (first bytes % x)", b[:min(4, len(b))])
}

// unpack returns a reader of the kernel's first size bytes. Its window is no
// larger than they need: readers allocate all of what a header asks for.
func (p *payload) unpack(size int) (io.Reader, error) {
	// A block that begins inside is unpacked as a whole.
	const block = 128 << 10
	head, rest := []byte(nil), p.data
	if p.narrow != nil {
		head = p.narrow(p.data, size+block)
		rest = rest[len(head):]
	}
	r, err := p.open(io.MultiReader(bytes.NewReader(head), bytes.NewReader(rest)))
	if err != nil {
		return nil, err
	}
	return io.LimitReader(r, int64(size)), nil
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

// search searches the read-only data of a packed vmlinux for texts, and unpacks no
// more than it has to: done says whether the texts found so far are all that matter
// in data which ends where the notes begin.
func (p *payload) search(s *textSearch, done func() bool) error {
	// What is left behind is of no use, and a kexec needs memory.
	defer debug.FreeOSMemory()
	head := make([]byte, 4<<10)
	r, err := p.unpack(len(head))
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	notes, end, err := readOnlyEnd(head)
	if err != nil {
		return err
	}
	if r, err = p.unpack(end); err != nil {
		return err
	}
	b := make([]byte, 64<<10)
	for _, size := range []int{notes, end - notes} {
		n, err := io.CopyBuffer(struct{ io.Writer }{s}, io.LimitReader(r, int64(size)), b)
		if err == nil && n < int64(size) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil || done() {
			return err
		}
	}
	return nil
}

// readOnlyEnd reads the head of a vmlinux. The first segment that is loaded holds
// code and read-only data. The notes in it follow all texts since Linux 5.6, and
// have a program header of their own (RO_DATA of
// include/asm-generic/vmlinux.lds.h). If they lie elsewhere, notes is end.
func readOnlyEnd(head []byte) (notes, end int, err error) {
	const phoff, phnum, phsize = 32, 56, 56
	le := binary.LittleEndian
	if string(head[:len(elf.ELFMAG)]) != elf.ELFMAG || elf.Class(head[4]) != elf.ELFCLASS64 {
		return 0, 0, errors.New("no ELF kernel is packed in it")
	}
	at, n := le.Uint64(head[phoff:]), uint64(le.Uint16(head[phnum:]))
	if at > uint64(len(head)) || n*phsize > uint64(len(head))-at {
		return 0, 0, errors.New("the ELF kernel in it has no program headers at its front")
	}
	var first, last, note uint64
	for i := range n {
		p := head[at+i*phsize:]
		offset, size := le.Uint64(p[8:]), le.Uint64(p[32:])
		switch elf.ProgType(le.Uint32(p)) {
		case elf.PT_LOAD:
			if last == 0 && offset < maxPayload && size < maxPayload-offset {
				first, last = offset, offset+size
			}
		case elf.PT_NOTE:
			note = offset
		}
	}
	if last <= uint64(len(head)) {
		return 0, 0, errors.New("the ELF kernel in it has nothing to load")
	}
	if note <= first || note > last {
		note = last
	}
	return int(note), int(last), nil //nolint:gosec // below maxPayload
}
