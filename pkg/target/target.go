// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package target opens the files of the target: the kernel, the initrds and
// what else is booted.
package target

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrFile is wrapped by every error about a file of the target.
var ErrFile = refusal.New(refusal.BadFile, "unusable file")

// maxImage bounds the size of an unpacked kernel, in bytes. The largest kernels
// have some 100 MB.
const maxImage = 1 << 30

var compressions = []struct {
	name  string
	magic []byte
	open  func(io.Reader) (io.Reader, error)
}{
	{"gzip", []byte{0x1f, 0x8b}, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"xz", []byte{0xfd, '7', 'z', 'X', 'Z', 0}, func(r io.Reader) (io.Reader, error) { return xz.NewReader(r) }},
	{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}, func(r io.Reader) (io.Reader, error) {
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	}},
}

// Uncompress unpacks a kernel image that is compressed as a whole, such as
// vmlinux.gz, .xz and .zst of distributions. It returns any other image as it
// is, without a copy. The string is the name of the compression, or "".
func Uncompress(image []byte) ([]byte, string, error) {
	for _, c := range compressions {
		if !bytes.HasPrefix(image, c.magic) {
			continue
		}
		r, err := c.open(bytes.NewReader(image))
		if err != nil {
			return nil, c.name, fmt.Errorf("%s: %w", c.name, err)
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, io.LimitReader(r, maxImage+1)); err != nil {
			return nil, c.name, fmt.Errorf("%s: damaged after %d unpacked bytes: %w", c.name, b.Len(), err)
		}
		if b.Len() > maxImage {
			return nil, c.name, fmt.Errorf("%s: unpacks to more than %d bytes", c.name, maxImage)
		}
		return b.Bytes(), c.name, nil
	}
	return image, "", nil
}
