// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/imaboot/imaboot/pkg/budget"
)

func packXZ(t testing.TB, c xz.WriterConfig, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := c.NewWriter(&out)
	packAll(t, w, err, b)
	return out.Bytes()
}

// xzCases are files in all forms that xz writes.
func xzCases(t testing.TB) map[string][]byte {
	image := bytes.Repeat([]byte("kernel\x00\x01"), 2_000)
	one := packXZ(t, xz.WriterConfig{CheckSum: xz.CRC32}, image)
	return map[string][]byte{
		"CRC-32":          one,
		"CRC-64":          packXZ(t, xz.WriterConfig{CheckSum: xz.CRC64}, image),
		"SHA-256":         packXZ(t, xz.WriterConfig{CheckSum: xz.SHA256}, image),
		"no check":        packXZ(t, xz.WriterConfig{NoCheckSum: true}, image),
		"blocks":          packXZ(t, xz.WriterConfig{BlockSize: 9999}, image),
		"nothing":         packXZ(t, xz.WriterConfig{}, nil),
		"streams":         slices.Concat(one, make([]byte, 8), one, one),
		"zeros behind it": slices.Concat(one, make([]byte, 4)),
		"64 MiB":          packXZ(t, xz.WriterConfig{DictCap: 64 << 20}, image),
	}
}

// TestXZ compares with the library's reader.
func TestXZ(t *testing.T) {
	for name, b := range xzCases(t) {
		t.Run(name, func(t *testing.T) {
			r, err := xz.NewReader(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			want, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := unpack(t, b, 256<<20)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, want %d, %v", len(got), len(want), err)
			}
		})
	}
}

// TestXZDamage: no change makes other bytes of a kernel.
func TestXZDamage(t *testing.T) {
	kernel := bytes.Repeat([]byte("kernel"), 20)
	good := packXZ(t, xz.WriterConfig{BlockSize: 50, DictCap: 1 << 12}, kernel)
	for i := range good {
		b := slices.Clone(good)
		b[i] ^= 0x10
		if got, name, err := unpack(t, b, 64<<20); err == nil && name != "" && !bytes.Equal(got, kernel) {
			t.Errorf("byte %d of %d: %q", i, len(good), got)
		}
		if _, _, err := unpack(t, good[:i], 64<<20); err == nil && i >= len(xzMagic) {
			t.Errorf("cut after %d bytes", i)
		}
	}
	for _, end := range [][]byte{{0}, {0, 0, 0}, {0, 0, 0, 1}, []byte("kernel")} {
		if _, _, err := unpack(t, append(slices.Clip(good), end...), 64<<20); !errors.Is(err, ErrFile) {
			t.Errorf("% x behind it: %v", end, err)
		}
	}
}

// TestXZDictionaries: any number of blocks cannot make the decoder allocate any
// number of dictionaries.
func TestXZDictionaries(t *testing.T) {
	const many = 100
	stream := packXZ(t, xz.WriterConfig{DictCap: 64 << 20}, []byte("kernel"))
	_, _, err := unpack(t, bytes.Repeat(stream, many), 1<<30)
	if !errors.Is(err, budget.ErrTooLarge) || !strings.Contains(err.Error(), "all xz blocks") {
		t.Error(err)
	}
	// The second block is the one that asks for too much.
	header := append([]byte{2, 0, 0x21, 1, 39}, 0, 0, 0)
	sum := crc32.ChecksumIEEE(header)
	header = append(header, byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
	index := bytes.LastIndex(stream, []byte{0, 1}) // its number of records is 1
	_, _, err = unpack(t, slices.Concat(stream[:index], header, []byte{1, 0, 0, 'x', 0}), 1<<30)
	if !errors.Is(err, budget.ErrTooLarge) || !strings.Contains(err.Error(), "3072 MiB") {
		t.Error(err)
	}
	if _, _, err := unpack(t, stream, 48<<20); !errors.Is(err, budget.ErrTooLarge) {
		t.Errorf("a dictionary larger than what is left: %v", err)
	}
}

// FuzzXZ: what this reader accepts, the library's unpacks to the same.
func FuzzXZ(f *testing.F) {
	for _, b := range xzCases(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append(slices.Clip(xzMagic), bytes.TrimPrefix(b, xzMagic)...)
		got, _, err := unpack(t, b, 80<<20)
		if err != nil {
			return
		}
		r, err := xz.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, the library makes %d, %v", len(got), len(want), err)
		}
	})
}
