// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/budget"
)

// What a decoder may keep of what it has unpacked, in bytes: all that xz -9 and
// zstd without --long=28 ask for.
const (
	maxDictionary = 64 << 20
	maxWindow     = 128 << 20
)

// A packed is an image that is being unpacked.
type packed struct {
	*input
	name   string
	image  []byte
	memory *budget.Memory
	// held is what of the memory is reserved for a dictionary.
	held int64
}

var compressions = []struct {
	name  string
	magic []byte
	open  func(*packed) (io.Reader, error)
}{
	{"gzip", []byte{0x1f, 0x8b}, func(p *packed) (io.Reader, error) { return gzip.NewReader(p) }},
	{"xz", []byte{0xfd, '7', 'z', 'X', 'Z', 0}, func(p *packed) (io.Reader, error) { return &xzReader{in: p}, nil }},
	{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}, (*packed).zstd},
}

// Uncompress unpacks a kernel image that is compressed as a whole, such as
// vmlinux.gz, .xz and .zst of distributions. The caller must close what it
// returns. It returns any other image as it is. The string is the name of the
// compression, or "".
//
// The error wraps ErrFile, budget.ErrTooLarge, or why ctx ended.
func Uncompress(ctx context.Context, f *File) (*File, string, error) {
	if n := int64(len(f.Data)); n > MaxKernel {
		return nil, "", budget.TooLarge(f.Name, n, MaxKernel)
	}
	for _, c := range compressions {
		if !bytes.HasPrefix(f.Data, c.magic) {
			continue
		}
		p := &packed{input: &input{ctx: ctx, r: bytes.NewReader(f.Data)}, name: f.Name, image: f.Data, memory: f.memory}
		defer func() { f.memory.Give(p.held) }()
		b := f.memory.Writer("what "+f.Name+" unpacks to", MaxKernel)
		r, err := c.open(p)
		if err == nil {
			err = p.copy(b, r)
		}
		if closer, ok := r.(interface{ Close() }); ok { // zstd's
			closer.Close()
		}
		if err != nil {
			return nil, c.name, errors.Join(p.explain(c.name, len(b.Bytes()), err), b.Free())
		}
		return &File{Name: f.Name + ", unpacked", Data: b.Bytes(), memory: f.memory, block: b}, c.name, nil
	}
	return f, "", nil
}

// Of returns a file whose content is in memory already. What Uncompress makes of
// it is charged to m.
func Of(name string, data []byte, m *budget.Memory) *File {
	return &File{Name: name, Data: data, memory: m}
}

// copy writes each byte once, and the block grows without a copy.
func (p *packed) copy(b *budget.Block, r io.Reader) error {
	const size = 128 << 10 // a block of zstd
	buf := make([]byte, size)
	for {
		n, err := r.Read(buf)
		if _, err := b.Write(buf[:n]); err != nil {
			return err
		}
		if err := p.ctx.Err(); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return b.Trim()
		}
		if err != nil {
			return err
		}
	}
}

// explain keeps the names of errors that have one.
func (p *packed) explain(format string, done int, err error) error {
	switch {
	case errors.Is(err, budget.ErrTooLarge) || p.ctx.Err() != nil:
		return err
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fmt.Errorf("%w: %s: a frame of zstd asks for a larger window than the first, or for more than %s", budget.ErrTooLarge, p.name, human.Size(maxWindow))
	case done == 0:
		return fmt.Errorf("%w: %s: %s: %w", ErrFile, p.name, format, err)
	}
	return fmt.Errorf("%w: %s: %s: damaged after %d unpacked bytes: %w", ErrFile, p.name, format, done, err)
}

// dictionary reserves what a decoder is about to allocate.
func (p *packed) dictionary(what string, n, most int64) error {
	what += " of " + p.name
	if n > most {
		return budget.TooLarge(what, n, most)
	}
	if n <= p.held {
		return nil
	}
	if err := p.memory.Try(what, n); err != nil {
		return err
	}
	if err := p.memory.Take(what, n-p.held); err != nil {
		return err
	}
	p.held = n
	return nil
}

// zstd reads the sizes in the header of the first frame. The decoder compares
// those of others.
func (p *packed) zstd() (io.Reader, error) {
	var h zstd.Header
	if err := h.Decode(p.image); err != nil {
		return nil, err
	}
	if h.HasFCS && h.FrameContentSize > MaxKernel {
		return nil, budget.TooLarge("what "+p.name+" unpacks to", int64(min(h.FrameContentSize, 1<<62)), MaxKernel)
	}
	window := int64(min(max(h.WindowSize, zstd.MinWindowSize), 1<<62))
	if h.SingleSegment {
		window = max(int64(h.FrameContentSize), zstd.MinWindowSize)
	}
	const block = 128 << 10 // the decoder has one beside the window
	if err := p.dictionary("the window of zstd", window+block, maxWindow+block); err != nil {
		return nil, err
	}
	return zstd.NewReader(p, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(window)))
}

// An input is read until a context ends.
type input struct {
	ctx   context.Context
	r     *bytes.Reader
	calls int
}

// ended asks the context now and then: decoders read single bytes.
func (in *input) ended() error {
	const often = 1 << 12
	if in.calls++; in.calls%often != 0 {
		return nil
	}
	return in.ctx.Err()
}

func (in *input) Read(p []byte) (int, error) {
	if err := in.ended(); err != nil {
		return 0, err
	}
	return in.r.Read(p)
}

func (in *input) ReadByte() (byte, error) {
	if err := in.ended(); err != nil {
		return 0, err
	}
	return in.r.ReadByte()
}

// at is the offset of the next byte.
func (in *input) at() int64 { return in.r.Size() - int64(in.r.Len()) }
