// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

// carriedRoot makes the file systems of a kernel to which a list was sent.
func carriedRoot(t *testing.T, dir string, l *List, n *Note) string {
	t.Helper()
	root := imaFiles(t, map[string]string{countFile: "0\n", "binary_runtime_measurements": ""})
	note, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	fileroot.Add(t, root, map[string]string{
		"proc/cmdline":        n.WithParam("quiet") + "\n",
		dir + "/" + listFile:  string(l.Bytes()),
		dir + "/" + noteFile:  string(note),
		"run/imaboot/x.other": "",
	})
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
	// Nothing was sent to this kernel, but a file of that name exists.
	root := fileroot.New(t, map[string]string{CarriedDir: "a program", "proc/cmdline": "quiet\n"})
	if c, err := ReadCarried(root); c != nil || err != nil {
		t.Errorf("%v, %v without a list", c, err)
	}
}

// TestReadCarriedBad: every fault has its own error, and no list is returned.
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
		{"event log of no size", edit(func(n *Note) { n.EventLog = &FileNote{Bytes: -1} }), ErrCarriedDamaged, "-1 bytes"},
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
		{"two lists", write("proc/cmdline", "imaboot.list=0000000000000000 imaboot.list=1111111111111111\n"), ErrCarriedForeign, "both imaboot.list=0000000000000000 and imaboot.list=1111111111111111"},
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

// TestReadCarriedEvents: the list can be used if its event log is lost or
// damaged.
func TestReadCarriedEvents(t *testing.T) {
	l := mustParse(t, twoHops(binary.LittleEndian).data)
	note := testNote(t, l)
	note.describe([]byte("events"))
	for _, tt := range []struct {
		name, content, link, err string
	}{
		{"whole", "events", "", ""},
		{"lost", "", "", "eventlog is missing"},
		{"another", "evil!!", "", "eventlog is not what was sent"},
		{"longer", "events and more", "", "no regular file of at most 6 bytes"},
		{"a link", "", "handover.json", "is a link"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := carriedRoot(t, CarriedDir, l, note)
			if tt.content != "" {
				fileroot.Add(t, root, map[string]string{CarriedDir + "/" + EventFile: tt.content})
			}
			if tt.link != "" {
				if err := os.Symlink(tt.link, filepath.Join(root, CarriedDir, EventFile)); err != nil {
					t.Fatal(err)
				}
			}
			c, err := ReadCarried(root)
			if err != nil || c.Records() != l.Records() {
				t.Fatalf("%v, %v", c, err)
			}
			if tt.err == "" {
				if c.EventErr != nil || string(c.EventLog) != tt.content {
					t.Errorf("%q, %v", c.EventLog, c.EventErr)
				}
				return
			}
			if c.EventLog != nil || !errors.Is(c.EventErr, ErrCarriedDamaged) || !strings.Contains(c.EventErr.Error(), tt.err) {
				t.Errorf("%q, %v, want %q", c.EventLog, c.EventErr, tt.err)
			}
		})
	}
}

// TestReadLiveJoined: the carried part comes first, and both share one buffer.
func TestReadLiveJoined(t *testing.T) {
	carried := mustParse(t, twoHops(binary.LittleEndian).data)
	own := &builder{order: binary.LittleEndian}
	own.ng("boot_aggregate")
	own.ng("/own")
	for _, tt := range []struct {
		name  string
		order binary.AppendByteOrder
		own   string
		count string
		want  error
	}{
		{"same order", binary.LittleEndian, string(own.data), "2\n", nil},
		{"nothing measured since", binary.LittleEndian, "", "0\n", nil},
		{"other order", binary.BigEndian, string(own.data), "2\n", ErrByteOrder},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ReadLive(t.Context(), imaFiles(t, map[string]string{countFile: tt.count, "binary_runtime_measurements": tt.own}), mustParse(t, twoHops(tt.order).data))
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
