// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/u-root/u-root/pkg/cpio"
)

func testNote(t testing.TB, l *List) *Note {
	t.Helper()
	p, err := ParsePCR("sha1=" + strings.Repeat("5a", 20))
	if err != nil {
		t.Fatal(err)
	}
	return NewNote(l, ByInitramfs, "9.8.7-test", false, 10, []PCR{p})
}

// TestArchive: u-root's reader finds what was packed, with the modes that keep
// it from others.
func TestArchive(t *testing.T) {
	l := mustParse(t, twoHops(binary.BigEndian).data)
	note := testNote(t, l)
	b, err := l.Archive(note)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.Archive(note); err != nil || !bytes.Equal(b, again) {
		t.Errorf("two archives of one list differ: %v", err)
	}
	records, err := cpio.ReadAllRecords(cpio.Newc.Reader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	content := map[string][]byte{}
	for _, r := range records {
		got = append(got, r.Name)
		want := uint64(cpio.S_IFREG | 0o400)
		if r.Name == CarriedDir {
			want = cpio.S_IFDIR | 0o700
		}
		if r.Mode != want || r.UID != 0 || r.GID != 0 {
			t.Errorf("%s: mode %#o, owner %d:%d", r.Name, r.Mode, r.UID, r.GID)
		}
		if r.Mode == cpio.S_IFREG|0o400 {
			if content[r.Name], err = io.ReadAll(io.NewSectionReader(r, 0, int64(r.FileSize))); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A file in a directory that is not there is left out silently.
	if diff := cmp.Diff([]string{"imaboot", "imaboot/handover.json", "imaboot/measurements"}, got); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(content["imaboot/measurements"], l.Bytes()) {
		t.Error("the list is not what was packed")
	}
	parsed, err := ParseNote(content["imaboot/handover.json"])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(note, parsed); diff != "" {
		t.Error(diff)
	}
	if err := CheckInitrd(append(slices.Clip(b), make([]byte, 512)...)); !errors.Is(err, ErrNotInitramfs) {
		t.Errorf("an initrd with a list of its own: %v", err)
	}
}

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
		{"a file of that name", archive("imaboot"), "no directory of root's alone"},
		{"list in the second", join(good, pad, archive("/imaboot/measurements")), "of its own"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckInitrd(tt.initrd)
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
	b, err := l.Archive(testNote(f, l))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("\x00\x00\x1f\x8b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := CheckInitrd(b); err != nil && !errors.Is(err, ErrNotInitramfs) {
			t.Error(err)
		}
	})
}

func FuzzParseNote(f *testing.F) {
	l, err := Parse(twoHops(binary.LittleEndian).data)
	if err != nil {
		f.Fatal(err)
	}
	b, err := json.Marshal(testNote(f, l))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version": 2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseNote(b)
		if err != nil {
			if !errors.Is(err, ErrCarriedDamaged) && !errors.Is(err, ErrCarriedVersion) {
				t.Error(err)
			}
			return
		}
		_ = n.Token()
		if _, err := n.check(l.Bytes()); err != nil && !errors.Is(err, ErrCarriedDamaged) {
			t.Error(err)
		}
	})
}

func TestParam(t *testing.T) {
	n := &Note{SHA256: strings.Repeat("0123456789abcdef", 4)}
	for _, tt := range []struct{ in, want string }{
		{"", "imaboot.list=0123456789abcdef"},
		{"quiet\timaboot.list=fedcba9876543210\tsplash", "imaboot.list=0123456789abcdef quiet\tsplash"},
		{"quiet -- arg", "imaboot.list=0123456789abcdef quiet -- arg"},
		{"quiet imaboot.list=fedcba9876543210 x='a  b'", "imaboot.list=0123456789abcdef quiet x='a  b'"},
	} {
		got := n.WithParam(tt.in)
		if got != tt.want || Token(got) != n.Token() {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}

// carriedRoot makes the file systems of a kernel that was handed a list.
func carriedRoot(t *testing.T, dir string, l *List, n *Note) string {
	t.Helper()
	root := imaFiles(t, map[string]string{countFile: "0\n", "binary_runtime_measurements": ""})
	note, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"proc/cmdline":        n.WithParam("quiet") + "\n",
		dir + "/" + listFile:  string(l.Bytes()),
		dir + "/" + noteFile:  string(note),
		"run/imaboot/x.other": "",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReadCarried(t *testing.T) {
	l := mustParse(t, twoHops(binary.LittleEndian).data)
	for _, dir := range []string{CarriedDir, RunDir} {
		root := carriedRoot(t, dir, l, testNote(t, l))
		c, err := ReadCarried(root)
		if err != nil {
			t.Fatal(err)
		}
		if c.Dir != filepath.Join(root, dir) || !bytes.Equal(c.Bytes(), l.Bytes()) {
			t.Errorf("%d bytes from %s", len(c.Bytes()), c.Dir)
		}
	}
	// A kernel that nothing was handed to, with something else of that name.
	root := imaFiles(t, nil)
	if err := os.WriteFile(filepath.Join(root, CarriedDir), nil, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "proc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "proc/cmdline"), []byte("quiet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := ReadCarried(root); c != nil || err != nil {
		t.Errorf("%v, %v without a list", c, err)
	}
}

// TestReadCarriedBad: what is wrong is told apart, and nothing is joined.
func TestReadCarriedBad(t *testing.T) {
	l := mustParse(t, twoHops(binary.LittleEndian).data)
	write := func(name, content string) func(*testing.T, string) {
		return func(t *testing.T, root string) {
			if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(names ...string) func(*testing.T, string) {
		return func(t *testing.T, root string) {
			for _, name := range names {
				if err := os.RemoveAll(filepath.Join(root, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	link := func(name string) func(*testing.T, string) {
		return func(t *testing.T, root string) {
			path := filepath.Join(root, name)
			if err := os.Rename(path, path+".moved"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(path+".moved", path); err != nil {
				t.Fatal(err)
			}
		}
	}
	edit := func(f func(*Note)) func(*testing.T, string) {
		return func(t *testing.T, root string) {
			n := testNote(t, l)
			f(n)
			b, err := json.Marshal(n)
			if err != nil {
				t.Fatal(err)
			}
			write("imaboot/handover.json", string(b))(t, root)
		}
	}
	flipped := bytes.Clone(l.Bytes())
	flipped[len(flipped)-2] ^= 1
	for _, tt := range []struct {
		name string
		edit func(*testing.T, string)
		want error
		text string
	}{
		{"one bit", write("imaboot/measurements", string(flipped)), ErrCarriedDamaged, "digest:"},
		{"cut short", write("imaboot/measurements", string(l.Bytes()[:100])), ErrCarriedDamaged, "record"},
		{"empty", write("imaboot/measurements", ""), ErrCarriedDamaged, "bytes: 0"},
		{"too long", write("imaboot/measurements", string(l.Bytes())+"x"), ErrCarriedDamaged, "no regular file of at most"},
		{"no list", remove("imaboot/measurements"), ErrCarriedDamaged, "no measurements"},
		{"no note", remove("imaboot/handover.json"), ErrCarriedDamaged, "no handover.json"},
		{"list is a link", link("imaboot/measurements"), ErrCarriedDamaged, "is a link"},
		{"note is a link", link("imaboot/handover.json"), ErrCarriedDamaged, "is a link"},
		{"directory is a link", link("imaboot"), ErrCarriedDamaged, "no directory"},
		{"others can write", func(t *testing.T, root string) {
			if err := os.Chmod(filepath.Join(root, "imaboot"), 0o777); err != nil {
				t.Fatal(err)
			}
		}, ErrCarriedDamaged, "others can write to it"},
		{"no JSON", write("imaboot/handover.json", "{"), ErrCarriedDamaged, "unexpected end"},
		{"no version", write("imaboot/handover.json", "{}"), ErrCarriedDamaged, "no version"},
		{"no carrier", write("imaboot/handover.json", `{"version": 1}`), ErrCarriedDamaged, "carrier"},
		{"negative", edit(func(n *Note) { n.Bytes = -1 }), ErrCarriedDamaged, "-1 bytes"},
		{"another version", edit(func(n *Note) { n.Version = 2 }), ErrCarriedVersion, "2, this imaboot knows 1"},
		{"another byte order", edit(func(n *Note) { n.ByteOrder = "big-endian" }), ErrCarriedDamaged, "byte order: little-endian"},
		{"no byte order", edit(func(n *Note) { n.ByteOrder = "" }), ErrCarriedDamaged, "byte order"},
		{"other records", edit(func(n *Note) { n.Records++ }), ErrCarriedDamaged, "records: 9, but 10"},
		{"short digest", edit(func(n *Note) { n.SHA256 = n.SHA256[:10] }), ErrCarriedDamaged, "list_sha256"},
		{"another list's note", edit(func(n *Note) { n.SHA256 = strings.Repeat("00", 32) }), ErrCarriedForeign, "but this one is 0000000000000000"},
		{"a cold boot", write("proc/cmdline", "quiet\n"), ErrCarriedForeign, "without imaboot.list"},
		{"lost", remove("imaboot"), ErrCarriedLost, "the hook for imaboot?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := carriedRoot(t, CarriedDir, l, testNote(t, l))
			tt.edit(t, root)
			c, err := ReadCarried(root)
			if c != nil || !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.want, tt.text)
			}
		})
	}
}

// TestReadLiveJoined: the carried part comes first, and one buffer holds all.
func TestReadLiveJoined(t *testing.T) {
	carried := mustParse(t, twoHops(binary.LittleEndian).data)
	own := &builder{order: binary.LittleEndian}
	own.ng("boot_aggregate")
	own.ng("/own")
	for _, tt := range []struct {
		name  string
		order binary.AppendByteOrder
		own   string
		want  error
	}{
		{"same order", binary.LittleEndian, string(own.data), nil},
		{"nothing measured since", binary.LittleEndian, "", nil},
		{"other order", binary.BigEndian, string(own.data), ErrByteOrder},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ReadLive(imaFiles(t, map[string]string{countFile: "2\n", "binary_runtime_measurements": tt.own}), mustParse(t, twoHops(tt.order).data))
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			if want := string(carried.Bytes()) + tt.own; string(s.Bytes()) != want {
				t.Error("not the carried list and the kernel's behind it")
			}
			b, err := s.Buffer()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ParseBuffer(b); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRestored: the note of a list that the kernel was to restore.
func TestRestored(t *testing.T) {
	sent := mustParse(t, twoHops(binary.LittleEndian).data)
	note := testNote(t, sent)
	note.Carrier = ByKernel
	b, err := sent.Archive(note)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte(listFile)) {
		t.Error("the archive holds the list")
	}
	own := &builder{order: binary.LittleEndian}
	own.ng("boot_aggregate")
	own.ng("/own")
	changed := bytes.Clone(sent.Bytes())
	changed[len(changed)-2] ^= 1
	for _, tt := range []struct {
		name string
		list []byte
		want error
	}{
		{"restored", append(bytes.Clone(sent.Bytes()), own.data...), nil},
		{"nothing arrived", own.data, ErrCarriedLost},
		{"nothing measured since", sent.Bytes(), ErrCarriedLost},
		{"changed", append(changed, own.data...), ErrCarriedDamaged},
	} {
		if err := note.Restored(mustParse(t, tt.list)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}

	root := carriedRoot(t, CarriedDir, sent, note)
	if err := os.Remove(filepath.Join(root, CarriedDir, listFile)); err != nil {
		t.Fatal(err)
	}
	c, err := ReadCarried(root)
	if err != nil || c.List != nil || c.Note.Records != sent.Records() {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestRenamed(t *testing.T) {
	for name, want := range map[string]bool{"ima-ng": false, "d-ng|n-ng": true, "d-ng|n-ng|iuid": false} {
		b := &builder{order: binary.LittleEndian}
		b.raw(10, nil, name, []byte("data"))
		if got := mustParse(t, b.data).Renamed(); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
