// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/u-root/u-root/pkg/cpio"
)

func TestCheckInitrd(t *testing.T) {
	archive := func(names ...string) []byte {
		var b bytes.Buffer
		w := cpio.Newc.Writer(&b)
		for _, name := range names {
			if err := w.WriteRecord(cpio.StaticFile(name, "content", 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if err := cpio.WriteTrailer(w); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	pad := make([]byte, 512)
	good := archive("init", "etc/passwd")
	gzip := []byte{0x1f, 0x8b, 8, 0}
	for _, tt := range []struct {
		name   string
		initrd []byte
		want   string
	}{
		{"none", nil, ""},
		{"zeros", pad, ""},
		{"archive", good, ""},
		{"microcode in front", join(archive("kernel/x86/microcode/a.bin"), pad, gzip), ""},
		{"gzip", gzip, ""},
		{"xz", []byte("\xfd7zXZ\x00"), ""},
		{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}, ""},
		{"lz4", []byte{0x02, 0x21, 0x4c, 0x18}, ""},
		{"lzo", []byte("\x89LZO"), ""},
		{"lzma", []byte{0x5d, 0, 0, 0x80}, ""},
		{"bzip2", []byte("BZh9"), ""},
		{"a file system", join([]byte("hsqs"), pad), "at offset 0x0 it begins with 68 73 71 73"},
		{"garbage behind", join(good, pad, []byte("garbage")), "67 61 72 62"},
		{"cut short", good[:len(good)/2], "cut short"},
		{"cut header", good[:60], "cut short: 60 bytes of a header"},
		{"bad number", join([]byte("070701"), bytes.Repeat([]byte("x"), 200)), "header"},
		{"long name", join([]byte("070701"), bytes.Repeat([]byte("f"), 200)), "a name of 4294967295 bytes"},
		{"odd archive", []byte("070707 is another format, with numbers of another size and base, which no kernel unpacks into its root file system"), "begins with"},
		{"list of its own", archive("init", "./imaboot/measurements"), "at offset 0x7c it holds a /imaboot/measurements of its own"},
		{"note of its own", archive("imaboot/handover.json"), "a /imaboot/handover.json of its own"},
		{"a file of that name", archive("imaboot"), "not a directory which only root can write to"},
		{"list in the second", join(good, pad, archive("/imaboot/measurements")), "of its own"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckInitrd(t.Context(), tt.initrd)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, ErrNotInitramfs) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzCheckInitrd(f *testing.F) {
	l, err := Parse(twoHops(binary.LittleEndian).data)
	if err != nil {
		f.Fatal(err)
	}
	b, err := l.Archive(testNote(f, l), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("\x00\x00\x1f\x8b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := CheckInitrd(t.Context(), b); err != nil && !errors.Is(err, ErrNotInitramfs) {
			t.Error(err)
		}
	})
}
