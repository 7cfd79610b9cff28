// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a plan with a file beside the captured machine.
func golden(t *testing.T, p *Plan, arch, name string) {
	t.Helper()
	var got bytes.Buffer
	if err := p.WriteText(&got); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", arch, name+".plan")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("plan differs from %s:\n%s", file, diff)
	}
}

// checkPlaced checks that segments are in free memory. Those named in over may
// lie in reserved memory.
func checkPlaced(t *testing.T, p *Plan, over ...string) {
	t.Helper()
	for _, s := range p.Segments {
		if !p.RAM.Contains(s.Range) {
			t.Errorf("segment %s %v is not in memory", s.Name, s.Range)
		}
		free := true
		for _, name := range over {
			free = free && s.Name != name
		}
		for _, r := range p.Reserved {
			if free && s.Overlaps(r.Range) {
				t.Errorf("segment %s %v overlaps %s %v", s.Name, s.Range, r.Why, r.Range)
			}
		}
	}
}

// needSegment returns a segment, or ends the test if there is none.
func needSegment(t *testing.T, p *Plan, name string) Segment {
	t.Helper()
	s, ok := p.Segment(name)
	if !ok {
		t.Fatalf("no segment %s", name)
	}
	return s
}

// checkArchive checks that the archive is directly in front of the initrd, and
// that the boot protocol names both as one range, exact to the byte.
func checkArchive(t *testing.T, p *Plan, l *List, named Range) {
	t.Helper()
	archive, initrd := needSegment(t, p, SegmentArchive), needSegment(t, p, SegmentInitrd)
	if archive.End != initrd.Start || !bytes.Equal(archive.Data, l.Archive) {
		t.Errorf("archive %v with %d bytes, initrd %v", archive.Range, len(archive.Data), initrd.Range)
	}
	if want := (Range{archive.Start, initrd.Start + Addr(len(initrd.Data))}); named != want {
		t.Errorf("the boot protocol names %v, want %v", named, want)
	}
	if p.List == nil || p.List.Range != rangeOf(archive.Start, Addr(len(l.Archive))) {
		t.Errorf("descriptor %+v", p.List)
	}
}
