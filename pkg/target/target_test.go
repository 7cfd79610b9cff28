// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
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
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUncompress(t *testing.T) {
	image := bytes.Repeat([]byte("\x7fELF kernel "), 10000)
	for _, c := range compressions {
		t.Run(c.name, func(t *testing.T) {
			packed := pack(t, c.name, image)
			got, name, err := Uncompress(packed)
			if err != nil || name != c.name || !bytes.Equal(got, image) {
				t.Errorf("%d bytes, %q, %v", len(got), name, err)
			}
			if _, _, err := Uncompress(packed[:len(packed)/2]); err == nil || !strings.HasPrefix(err.Error(), c.name+": ") {
				t.Errorf("cut short: error %v", err)
			}
			if _, _, err := Uncompress(packed[:len(c.magic)]); err == nil {
				t.Error("no error for a magic number alone")
			}
		})
	}
	got, name, err := Uncompress(image)
	if err != nil || name != "" || &got[0] != &image[0] {
		t.Errorf("plain image: %q, %v, or it was copied", name, err)
	}
}

func FuzzUncompress(f *testing.F) {
	for _, c := range compressions {
		f.Add(pack(f, c.name, []byte("kernel")))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, name, err := Uncompress(b); err == nil && name == "" && len(got) != len(b) {
			t.Errorf("%d bytes of %d", len(got), len(b))
		}
	})
}
