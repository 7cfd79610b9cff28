// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/imaboot/imaboot/pkg/budget"
	"github.com/imaboot/imaboot/pkg/refusal"
)

func pack(t testing.TB, name string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch name {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "xz":
		w, err = xz.NewWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out)
	}
	packAll(t, w, err, b)
	return out.Bytes()
}

// packAll writes all to a writer that was just made.
func packAll(t testing.TB, w io.WriteCloser, err error, b []byte) {
	t.Helper()
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// unpack unpacks bytes that are in no file, within a budget, and checks that the
// whole budget is left in the end.
func unpack(t testing.TB, image []byte, limit int64) (unpacked []byte, format string, err error) {
	t.Helper()
	m := budget.New(limit)
	f, format, err := Uncompress(t.Context(), &File{Name: "vmlinux", Data: image, memory: m})
	if err == nil {
		unpacked = slices.Clone(f.Data)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if m.Left() != limit {
		t.Errorf("%d of %d bytes are left", m.Left(), limit)
	}
	return unpacked, format, err
}

func TestUncompress(t *testing.T) {
	image := bytes.Repeat([]byte("\x7fELF kernel "), 100_000)
	for _, c := range compressions {
		t.Run(c.name, func(t *testing.T) {
			packed := pack(t, c.name, image)
			got, name, err := unpack(t, packed, 64<<20)
			if err != nil || name != c.name || !bytes.Equal(got, image) {
				t.Errorf("%d bytes, %q, %v", len(got), name, err)
			}
			if _, _, err := unpack(t, packed[:len(packed)/2], 64<<20); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), c.name+": ") {
				t.Errorf("cut short: error %v", err)
			}
			if _, _, err := unpack(t, packed[:len(c.magic)], 64<<20); !errors.Is(err, ErrFile) {
				t.Errorf("a magic number alone: %v", err)
			}
			twice, _, err := unpack(t, append(slices.Clip(packed), packed...), 64<<20)
			if err != nil || len(twice) != 2*len(image) {
				t.Errorf("two streams: %d bytes, %v", len(twice), err)
			}
		})
	}
	f := &File{Data: image}
	if got, name, err := Uncompress(t.Context(), f); err != nil || name != "" || got != f {
		t.Errorf("plain image: %q, %v, or it was copied", name, err)
	}
}

// hostile are small files that ask for much memory.
func hostile(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	add := func(name, digits string) {
		b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	add("xz with a dictionary of 4 GiB", "fd377a585a000001 6922de36 0200210128000000 e6a011b3 0100007800")
	// A window descriptor of 0xa0 is 1 GiB, 0x90 is 256 MiB.
	add("zstd with a window of 1 GiB", "28b52ffd 00 a0 010000")
	add("zstd with a window of 256 MiB", "28b52ffd 00 90 010000")
	add("zstd with a window of 3.75 TiB", "28b52ffd 00 ff 010000")
	add("zstd of one segment of 16 EiB", "28b52ffd e0 ffffffffffffffff 010000")
	add("zstd of one segment of 200 MiB", "28b52ffd a0 0000800c 010000")
	return files
}

func TestHostile(t *testing.T) {
	for name, b := range hostile(t) {
		_, _, err := unpack(t, b, 1<<40)
		if !errors.Is(err, budget.ErrTooLarge) || !slices.Equal(refusal.Names(err), []refusal.Name{refusal.TooLarge}) || !strings.Contains(err.Error(), "vmlinux") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBombs: what unpacks to more than is left ends when that is used up.
func TestBombs(t *testing.T) {
	zeros := make([]byte, 20<<20)
	for _, c := range compressions {
		packed := pack(t, c.name, zeros)
		if _, _, err := unpack(t, packed, 16<<20); !errors.Is(err, budget.ErrTooLarge) || errors.Is(err, ErrFile) {
			t.Errorf("%s: %v", c.name, err)
		}
		if got, _, err := unpack(t, packed, 32<<20); err != nil || len(got) != len(zeros) {
			t.Errorf("%s: %d bytes, %v", c.name, len(got), err)
		}
	}
}

// TestUnpackEnds: an end of the context ends the unpacking, also if nothing comes
// of it.
func TestUnpackEnds(t *testing.T) {
	for name, image := range map[string][]byte{
		"zeros":          pack(t, "gzip", make([]byte, 8<<20)),
		"empty members":  bytes.Repeat(pack(t, "gzip", nil), 1<<16),
		"xz":             pack(t, "xz", make([]byte, 4<<20)),
		"empty xz":       bytes.Repeat(pack(t, "xz", nil), 1<<16),
		"zstd":           pack(t, "zstd", make([]byte, 16<<20)),
		"skipped frames": append(pack(t, "zstd", nil), bytes.Repeat([]byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}, 1<<18)...),
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		_, _, err := Uncompress(ctx, &File{Data: image, memory: budget.New(1 << 30)})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s: took %v", name, d)
		}
	}
}

func FuzzUncompress(f *testing.F) {
	for _, c := range compressions {
		f.Add(pack(f, c.name, []byte("kernel")))
	}
	for _, b := range hostile(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 80 << 20
		got, name, err := unpack(t, b, limit)
		if err == nil && name == "" && len(got) != len(b) {
			t.Errorf("%d bytes of %d", len(got), len(b))
		}
		if err != nil && !errors.Is(err, ErrFile) && !errors.Is(err, budget.ErrTooLarge) {
			t.Errorf("an error without a name: %v", err)
		}
	})
}
