// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package listfile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

const captured = "../handover/testdata/ppc64le-three-kernels.bin"

// pack compresses b.
func pack(t testing.TB, b []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := open(&out)
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

func gzipped(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }
func xzed(w io.Writer) (io.WriteCloser, error)    { return xz.NewWriter(w) }
func zstded(w io.Writer) (io.WriteCloser, error)  { return zstd.NewWriter(w) }

// perBank makes a list with the digests of a bank, as the kernel shows it since
// Linux 6.10.
func perBank(bank pcr.Algorithm, order binary.AppendByteOrder) []byte {
	field := func(b []byte) []byte { return append(order.AppendUint32(nil, uint32(len(b))), b...) }
	var out []byte
	for _, name := range []string{"boot_aggregate", "/init", "/bin/sh", "/sbin/init", "/last"} {
		data := append(field(append([]byte("sha256:\x00"), pcr.SHA256.Sum([]byte(name))...)), field([]byte(name+"\x00"))...)
		out = order.AppendUint32(out, 10)
		out = append(out, bank.Sum(data)...)
		out = append(append(out, field([]byte("ima-ng"))...), field(data)...)
	}
	return out
}

// forms returns one list in all forms, by name.
func forms(t testing.TB, binary []byte) map[string][]byte {
	t.Helper()
	l, err := handover.Parse(binary)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := l.WriteASCII(&text); err != nil {
		t.Fatal(err)
	}
	buffer, err := l.Buffer()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{"binary": binary, "ascii": text.Bytes(), "kexec-buffer": append(bytes.Clone(buffer), make([]byte, 4096)...)}
	for _, form := range []Form{Binary, ASCII, KexecBuffer} {
		plain := out[string(form)]
		out[string(form)+" gzip"] = pack(t, plain, gzipped)
		out[string(form)+" xz"] = pack(t, plain, xzed)
		out[string(form)+" zstd"] = pack(t, plain, zstded)
	}
	return out
}

// TestForms reads one list in every form.
func TestForms(t *testing.T) {
	data, err := os.ReadFile(captured)
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string][]byte{
		"captured": data, "big-endian": perBank(pcr.SHA1, binary.BigEndian), "little-endian": perBank(pcr.SHA1, binary.LittleEndian),
	}
	dir := t.TempDir()
	for list, data := range lists {
		for form, b := range forms(t, data) {
			t.Run(list+" "+form, func(t *testing.T) {
				name := filepath.Join(dir, "list")
				if err := os.WriteFile(name, b, 0o600); err != nil {
					t.Fatal(err)
				}
				for _, read := range []func(string) (*File, error){Read, Open} {
					f, err := read(name)
					if err != nil {
						t.Fatal(err)
					}
					f.Release(0, len(f.Data))
					l, err := f.List()
					if err != nil || !bytes.Equal(l.Bytes(), data) {
						t.Fatalf("%v: the list differs", err)
					}
					if got := strings.TrimSpace(string(f.Form) + " " + f.Packed); got != form {
						t.Errorf("%s", got)
					}
					if text := f.Text(); (text == "") != (form == "binary") || strings.Contains(form, "xz") != strings.HasSuffix(text, "unpacked from xz") {
						t.Errorf("%q", text)
					}
					if err := f.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// TestPerBank reads the files of one bank each.
func TestPerBank(t *testing.T) {
	for _, bank := range pcr.Algorithms {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			data := perBank(bank, order)
			f, err := open("list", data)
			if err != nil {
				t.Fatal(err)
			}
			l, err := f.List()
			if err != nil || l.Records() != 5 || f.Form != Binary {
				t.Errorf("%s: %v", bank, err)
				continue
			}
			var text bytes.Buffer
			if err := l.WriteASCII(&text); err != nil {
				t.Fatal(err)
			}
			if f, err = open("text", text.Bytes()); err != nil || f.Form != ASCII {
				t.Fatal(err)
			}
			if l, err = f.List(); err != nil || !bytes.Equal(l.Bytes(), data) {
				t.Errorf("%s, text: %v", bank, err)
			}
		}
	}
}

// TestDamaged: an error is that of the form that the file has.
func TestDamaged(t *testing.T) {
	data := perBank(pcr.SHA1, binary.LittleEndian)
	all := forms(t, data)
	text, buffer := all["ascii"], all["kexec-buffer"][:handover.HeaderSize+len(data)]
	sha256 := perBank(pcr.SHA256, binary.LittleEndian)
	count := bytes.Clone(buffer)
	count[16]++
	// A violation of PCR 1 begins like a kexec buffer.
	violation := append([]byte{1, 0, 0, 0}, make([]byte, 20)...)
	violation = append(violation, append([]byte{6, 0, 0, 0}, "ima-ng\x00\x00\x00\x00"...)...)
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"another bank's", sha256[:len(sha256)-7], "list: digests of 32 bytes: record 5 at offset"},
		{"another bank's, packed", pack(t, sha256[:len(sha256)-7], xzed), "record 5 at offset"},
		{"text", text[:len(text)-7], "list: text form: record 5 at offset"},
		{"buffer", buffer[:len(buffer)-7], "list: bad kexec buffer: size is"},
		{"buffer with another count", count, "bad kexec buffer: count is 6, but there are 5 records"},
		{"text that is no list", []byte("hello, this is a letter of 24 bytes or more\n"), "list: record 1 at offset 0"},
		{"gzip of nothing", []byte("\x1f\x8b\x08\x00\x00"), "list: gzip"},
		{"cut gzip", all["binary gzip"][:200], "list: gzip: damaged after"},
		{"cut xz", all["binary xz"][:100], "list: xz"},
		{"violation of PCR 1", violation, ""},
	} {
		f, err := open("list", tt.data)
		if err == nil {
			_, err = f.List()
		}
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		name := refusal.Of(err)
		if err == nil || !strings.Contains(err.Error(), tt.want) || name != refusal.DamagedList && name != refusal.BadFile {
			t.Errorf("%s: error %v (%s), want %q", tt.name, err, name, tt.want)
		}
	}
}

// endless is a reader without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestReadAll(t *testing.T) {
	for _, tt := range []struct {
		name        string
		r           io.Reader
		size, limit int64
		bytes       int
		want        string
	}{
		{"as large as it says", strings.NewReader(strings.Repeat("x", 100)), 100, 100, 100, ""},
		{"without a size", strings.NewReader(strings.Repeat("x", 200000)), 0, 200000, 200000, ""},
		{"larger than it says", strings.NewReader(strings.Repeat("x", 101)), 100, 200, 101, ""},
		{"too large", strings.NewReader(strings.Repeat("x", 101)), 100, 100, 0, "it has more than 100 bytes"},
		{"without an end", endless{}, 0, 1 << 20, 0, "it has more than 1048576 bytes"},
		{"sparse", endless{}, 1 << 60, 1 << 20, 0, "and may have 1048576"},
	} {
		b, err := readAll(tt.r, tt.size, tt.limit)
		if len(b) != tt.bytes || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d bytes, %v", tt.name, len(b), err)
		}
	}
}

// TestOpen opens what cannot be mapped.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	empty, fifo, packed := filepath.Join(dir, "empty"), filepath.Join(dir, "fifo"), filepath.Join(dir, "packed")
	for name, b := range map[string][]byte{empty: nil, packed: []byte("\x1f\x8b\x08\x00\x00")} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	go os.WriteFile(fifo, perBank(pcr.SHA1, binary.BigEndian), 0o600)
	for name, want := range map[string]int{empty: 0, fifo: 5, captured: 17, "/proc/self/status": -1, packed: -1, dir: -1, "/none/list": -1} {
		got, err := -1, error(nil)
		if f, openErr := Open(name); openErr != nil {
			err = openErr
		} else {
			l, listErr := f.List()
			if err = listErr; err == nil {
				got = l.Records()
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
		if got != want || (err == nil) != (want >= 0) || err != nil && refusal.Of(err) == refusal.Other {
			t.Errorf("%s: %d records, %v", name, got, err)
		}
	}
}

func TestStdin(t *testing.T) {
	f, err := os.Open(captured)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	was := os.Stdin
	os.Stdin = f
	defer func() { os.Stdin = was }()
	if l, err := ReadList(Stdin); err != nil || l.Records() != 17 {
		t.Errorf("%v", err)
	}
	if _, err := ReadList("/none/list"); refusal.Of(err) != refusal.BadFile {
		t.Errorf("error %v", err)
	}
}

// FuzzOpen: whatever a file holds, there is a list or an error that names the
// file.
func FuzzOpen(f *testing.F) {
	for _, b := range forms(f, perBank(pcr.SHA1, binary.BigEndian)) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := open("list", b)
		if err == nil {
			_, err = file.List()
		}
		names := []refusal.Name{refusal.DamagedList, refusal.BadFile, refusal.TooLarge}
		if err != nil && (!strings.Contains(err.Error(), "list") || !slices.Contains(names, refusal.Of(err))) {
			t.Errorf("error %v", err)
		}
	})
}
