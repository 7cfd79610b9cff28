// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/u-root/u-root/pkg/dt"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

func TestReadTree(t *testing.T) {
	dir := fileroot.New(t, map[string]string{
		"name":                   "",
		"model":                  "test\x00",
		"memory@10000000/reg":    "12345678",
		"memory@f000000/reg":     "1234",
		"memory@0/name":          "memory\x00",
		"chosen/bootargs":        "quiet\x00",
		"chosen/linux,empty":     "",
		"aliases/security-state": "",
	})
	link := filepath.Join(t.TempDir(), "device-tree")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/", filepath.Join(dir, "chosen", "loop")); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTree(link)
	if err != nil {
		t.Fatal(err)
	}
	want := dt.NewNode("", dt.WithProperty(dt.PropertyString("model", "test")), dt.WithChildren(
		dt.NewNode("aliases", dt.WithProperty(dt.Property{Name: "security-state", Value: []byte{}})),
		dt.NewNode("chosen", dt.WithProperty(dt.PropertyString("bootargs", "quiet"), dt.Property{Name: "linux,empty", Value: []byte{}})),
		dt.NewNode("memory@0"),
		dt.NewNode("memory@f000000", dt.WithProperty(dt.Property{Name: "reg", Value: []byte("1234")})),
		dt.NewNode("memory@10000000", dt.WithProperty(dt.Property{Name: "reg", Value: []byte("12345678")})),
	))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadTreeTooDeep(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, strings.Repeat("d/", maxTreeDepth+2)), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTree(dir); !errors.Is(err, ErrBadTree) {
		t.Errorf("error %v, want %v", err, ErrBadTree)
	}
}

// smallTree returns a blob with one node, one property and one reservation.
func smallTree(t testing.TB) []byte {
	t.Helper()
	f := dt.FDT{
		Header:         dt.Header{Magic: uint32(dt.Magic), Version: 17, LastCompVersion: 16},
		ReserveEntries: []dt.ReserveEntry{{Address: 0x1000, Size: 0x2000}},
		RootNode:       dt.NewNode("", dt.WithChildren(dt.NewNode("chosen", dt.WithProperty(dt.PropertyString("bootargs", "quiet"))))),
	}
	var b bytes.Buffer
	if _, err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestParseTree(t *testing.T) {
	f, err := ParseTree(smallTree(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := text(child(f.RootNode, "chosen"), "bootargs"); got != "quiet" {
		t.Errorf("bootargs %q", got)
	}
}

func TestParseTreeBad(t *testing.T) {
	put := func(off int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.BigEndian.PutUint32(b[off:], v); return b }
	}
	structure := int(binary.BigEndian.Uint32(smallTree(t)[8:]))
	for _, tt := range []struct {
		name string
		edit func([]byte) []byte
		want string
	}{
		{"empty", func([]byte) []byte { return nil }, "too few"},
		{"magic", put(0, 1), "magic"},
		{"cut", func(b []byte) []byte { return b[:len(b)-1] }, "only"},
		{"old version", put(20, 16), "version"},
		{"strings outside", put(32, 1<<31), "strings block"},
		{"structure outside", put(36, 1<<30), "structure block"},
		{"reservations outside", put(16, 1<<30), "reservation block"},
		{"structure ends early", put(36, 8), "ends inside a token"},
		{"unknown token", put(structure, 77), "unknown token"},
		// Root (8 bytes), chosen (12), then the property's length.
		{"property too long", put(structure+8+12+4, 1<<31), "are left"},
		{"property name without an end", put(structure+8+12+8, 1<<31), "has no end"},
		{"node ends before it begins", put(structure, fdtEndNode), "never began"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseTree(tt.edit(smallTree(t)))
			if !errors.Is(err, ErrBadTree) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %v with %q", err, ErrBadTree, tt.want)
			}
		})
	}
}

// TestParseTreeNames: a name is copied for each property, and a node's for each of
// its bytes.
func TestParseTreeNames(t *testing.T) {
	for name, n := range map[string]*dt.Node{
		"node name":     dt.NewNode("", dt.WithChildren(dt.NewNode(strings.Repeat("n", 1<<20)))),
		"property name": dt.NewNode("", dt.WithProperty(dt.PropertyString(strings.Repeat("p", 1<<20), ""))),
	} {
		var b bytes.Buffer
		f := dt.FDT{Header: dt.Header{Magic: uint32(dt.Magic), Version: 17, LastCompVersion: 16}, RootNode: n}
		if _, err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := ParseTree(b.Bytes()); !errors.Is(err, ErrBadTree) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseTree(f *testing.F) {
	f.Add(smallTree(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		tree, err := ParseTree(b)
		if err != nil {
			return
		}
		if tree.RootNode == nil {
			t.Error("no error and no root")
		}
	})
}
