// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package listfile

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/imaboot/imaboot/pkg/budget"
	"github.com/imaboot/imaboot/pkg/target"
)

// Stdin is the name of standard input.
const Stdin = "-"

// maxFile bounds the size of a file, in bytes. A list of a million records has
// 140 MB, and its text form 180 MB.
const maxFile = 1 << 30

// ReadBytes reads a whole file, or standard input if the name is Stdin, of at
// most limit bytes, and of no more than there is memory for. Files of the kernel
// say that they are empty, and devices have no end. Errors wrap target.ErrFile.
func ReadBytes(name string, limit int64) ([]byte, error) {
	in := os.Stdin
	if name != Stdin {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", target.ErrFile, err)
		}
		defer f.Close()
		in = f
	}
	var size int64
	if info, err := in.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	b, err := readAll(in, size, min(limit, budget.Machine("/").Left()))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", target.ErrFile, name, err)
	}
	return b, nil
}

// readAll reads to the end, at most limit bytes. size is what is expected.
func readAll(r io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, fmt.Errorf("it has %d bytes, and may have %d", size, limit)
	}
	const chunk = 64 << 10
	b := make([]byte, 0, size+1) // one more, to see the end
	for {
		if len(b) == cap(b) {
			// Grow by a quarter instead of doubling: lists can be large.
			grown := make([]byte, len(b), cap(b)+cap(b)/4+chunk)
			copy(grown, b)
			b = grown
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return nil, fmt.Errorf("it has more than %d bytes", limit)
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return nil, err
		}
	}
}
