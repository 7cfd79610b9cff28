// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"runtime"

	"github.com/ulikunitz/xz/lzma"

	"github.com/imaboot/imaboot/pkg/budget"
)

// maxDictionaries bounds the dictionaries of all blocks together, in bytes: each
// is allocated and cleared, however little the block holds.
const maxDictionaries = 1 << 30

// An xzReader unpacks the .xz format (tukaani.org/xz/xz-file-format.txt, 1.2.1).
// The library's own reader allocates any dictionary that a block asks for, up to
// 4 GiB. So only its decoder of LZMA2 is used, and the container is read here.
// Like that reader and unlike xz, it knows no other filters.
type xzReader struct {
	in *packed

	flags   []byte // of the stream; nil between streams
	streams int
	records []xzRecord
	// dictionaries are those allocated so far, and fresh those since garbage
	// was collected.
	dictionaries, fresh int64

	block io.Reader // nil between blocks
	check hash.Hash // of what the block unpacks to; nil for none
	start int64     // offset of the block
	data  int64     // offset of what is packed in it
	size  int64     // unpacked so far
	named [2]int64  // sizes that the block's header names, packed and unpacked, or -1
}

// An xzRecord holds the sizes of a block, as the index names them.
type xzRecord struct{ unpadded, unpacked int64 }

var (
	xzMagic  = []byte{0xfd, '7', 'z', 'X', 'Z', 0}
	errXZ    = errors.New("not the format of xz")
	errXZSum = errors.New("wrong check sum")
)

func (x *xzReader) Read(p []byte) (int, error) {
	for {
		if x.block != nil {
			n, err := x.block.Read(p)
			x.size += int64(n)
			if x.check != nil {
				x.check.Write(p[:n])
			}
			if errors.Is(err, io.EOF) {
				err = x.endBlock()
			}
			if n > 0 || err != nil {
				return n, err
			}
			continue
		}
		if x.flags == nil {
			if err := x.beginStream(); err != nil {
				return 0, err // io.EOF behind the last stream
			}
		}
		size, err := x.in.ReadByte()
		switch {
		case err != nil:
			return 0, unexpected(err)
		case size == 0:
			err = x.endStream()
		default:
			err = x.beginBlock(size)
		}
		if err != nil {
			return 0, err
		}
	}
}

// unexpected is for what ends too early.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (x *xzReader) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(x.in, b)
	return b, unexpected(err)
}

// beginStream reads a stream's header, and the zeros that may be between streams.
func (x *xzReader) beginStream() error {
	const headSize, padding = 12, 4
	for x.streams > 0 {
		if x.in.r.Len() == 0 {
			return io.EOF
		}
		zeros := x.in.image[x.in.at():]
		if len(zeros) < padding || !bytes.Equal(zeros[:padding], make([]byte, padding)) {
			break
		}
		if _, err := x.bytes(padding); err != nil {
			return err
		}
	}
	h, err := x.bytes(headSize)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(h, xzMagic) || h[6] != 0 || h[7]&0xf0 != 0 {
		return fmt.Errorf("%w: header of a stream", errXZ)
	}
	if crc32.ChecksumIEEE(h[6:8]) != binary.LittleEndian.Uint32(h[8:]) {
		return fmt.Errorf("%w of a stream's header", errXZSum)
	}
	if x.check, err = newCheck(h[7]); err != nil {
		return err
	}
	x.flags, x.records = h[6:8], nil
	x.streams++
	return nil
}

func newCheck(id byte) (hash.Hash, error) {
	switch id {
	case 0:
		return nil, nil
	case 1:
		return crc32.NewIEEE(), nil
	case 4:
		return crc64.New(crc64.MakeTable(crc64.ECMA)), nil
	case 10:
		return sha256.New(), nil
	}
	return nil, fmt.Errorf("%w: unknown kind of check sum %d", errXZ, id)
}

// beginBlock reads a block's header, and compares the dictionary that it asks for
// before the decoder allocates it.
func (x *xzReader) beginBlock(size byte) error {
	x.start = x.in.at() - 1
	rest, err := x.bytes(int(size)*4 + 3)
	if err != nil {
		return err
	}
	h, sum := append([]byte{size}, rest[:len(rest)-4]...), rest[len(rest)-4:]
	if crc32.ChecksumIEEE(h) != binary.LittleEndian.Uint32(sum) {
		return fmt.Errorf("%w of a block's header", errXZSum)
	}
	dictionary, err := x.parseBlock(h[1:])
	if err != nil {
		return err
	}
	if err := x.in.dictionary("the dictionary of an xz block", dictionary, maxDictionary); err != nil {
		return err
	}
	if x.dictionaries += dictionary; x.dictionaries > maxDictionaries {
		return budget.TooLarge("the dictionaries of all xz blocks of "+x.in.name, x.dictionaries, maxDictionaries)
	}
	const garbage = 32 << 20 // bytes, of earlier dictionaries
	if x.fresh += dictionary; x.fresh > garbage {
		runtime.GC()
		x.fresh = dictionary
	}
	x.data, x.size = x.in.at(), 0
	if x.check != nil {
		x.check.Reset()
	}
	x.block, err = lzma.Reader2Config{DictCap: int(dictionary)}.NewReader2(x.in)
	return err
}

// parseBlock reads the flags, sizes and filters of a block's header.
func (x *xzReader) parseBlock(h []byte) (dictionary int64, err error) {
	const hasPacked, hasUnpacked, others = 0x40, 0x80, 0x3f
	r := bytes.NewReader(h[1:])
	if h[0]&others != 0 {
		return 0, fmt.Errorf("%w: a block with filters other than LZMA2", errXZ)
	}
	for i, flag := range []byte{hasPacked, hasUnpacked} {
		if x.named[i] = -1; h[0]&flag == 0 {
			continue
		}
		if x.named[i], err = xzNumber(r); err != nil {
			return 0, err
		}
	}
	const lzma2, largest = 0x21, 40
	filter := make([]byte, 3) // its number, the size of its properties, and those
	if _, err := io.ReadFull(r, filter); err != nil || filter[0] != lzma2 || filter[1] != 1 || filter[2] > largest {
		return 0, fmt.Errorf("%w: filter of a block: % x", errXZ, filter)
	}
	if padding := h[len(h)-r.Len():]; !bytes.Equal(padding, make([]byte, len(padding))) {
		return 0, fmt.Errorf("%w: header of a block", errXZ)
	}
	if filter[2] == largest {
		return 1<<32 - 1, nil
	}
	return int64(2|filter[2]&1) << (filter[2]/2 + 11), nil
}

// xzNumber reads a number of at most 63 bits.
func xzNumber(r io.ByteReader) (int64, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil || n > 1<<63-1 {
		return 0, fmt.Errorf("%w: number", errXZ)
	}
	return int64(n), nil
}

// endBlock reads what follows the packed bytes.
func (x *xzReader) endBlock() error {
	x.block = nil
	packed := x.in.at() - x.data
	padding, err := x.bytes(int(-packed & 3))
	if err != nil {
		return err
	}
	for i, n := range []int64{packed, x.size} {
		if x.named[i] >= 0 && x.named[i] != n {
			return fmt.Errorf("%w: a block has %d bytes, and %d in its header", errXZ, n, x.named[i])
		}
	}
	if !bytes.Equal(padding, make([]byte, len(padding))) {
		return fmt.Errorf("%w: padding of a block", errXZ)
	}
	sumSize := 0
	if x.check != nil {
		sumSize = x.check.Size()
		sum, err := x.bytes(sumSize)
		if err != nil {
			return err
		}
		if !bytes.Equal(sum, littleEndian(x.check)) {
			return fmt.Errorf("%w of a block", errXZSum)
		}
	}
	x.records = append(x.records, xzRecord{x.data - x.start + packed + int64(sumSize), x.size})
	return nil
}

// littleEndian is the sum as xz stores it: CRCs are numbers, SHA-256 is not.
func littleEndian(h hash.Hash) []byte {
	switch h := h.(type) {
	case hash.Hash32:
		return binary.LittleEndian.AppendUint32(nil, h.Sum32())
	case hash.Hash64:
		return binary.LittleEndian.AppendUint64(nil, h.Sum64())
	}
	return h.Sum(nil)
}

// endStream reads the index, whose first byte is read already, and the footer.
func (x *xzReader) endStream() error {
	start := x.in.at() - 1
	n, err := xzNumber(x.in)
	if err != nil || n != int64(len(x.records)) {
		return fmt.Errorf("%w: an index for %d blocks, not %d", errXZ, n, len(x.records))
	}
	for _, want := range x.records {
		unpadded, err1 := xzNumber(x.in)
		unpacked, err2 := xzNumber(x.in)
		if err1 != nil || err2 != nil || (xzRecord{unpadded, unpacked}) != want {
			return fmt.Errorf("%w: the index does not fit the blocks", errXZ)
		}
	}
	if _, err := x.bytes(int(-(x.in.at() - start) & 3)); err != nil {
		return err
	}
	index := x.in.image[start:x.in.at()]
	const sumSize, footSize = 4, 12
	b, err := x.bytes(sumSize + footSize)
	if err != nil {
		return err
	}
	sum, foot := b[:sumSize], b[sumSize:]
	if crc32.ChecksumIEEE(index) != binary.LittleEndian.Uint32(sum) {
		return fmt.Errorf("%w of the index", errXZSum)
	}
	size := (int64(binary.LittleEndian.Uint32(foot[4:])) + 1) * 4
	if crc32.ChecksumIEEE(foot[4:10]) != binary.LittleEndian.Uint32(foot) || size != int64(len(index)+sumSize) ||
		!bytes.Equal(foot[8:10], x.flags) || string(foot[10:]) != "YZ" {
		return fmt.Errorf("%w: footer", errXZ)
	}
	x.flags = nil
	return nil
}
