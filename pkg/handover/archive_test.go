// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/u-root/u-root/pkg/cpio"
)

// TestArchive: u-root's reader finds what was packed, with modes that keep
// other users out.
func TestArchive(t *testing.T) {
	l := mustParse(t, twoHops(binary.BigEndian).data)
	note := testNote(t, l)
	events := []byte("an event log")
	b, err := l.Archive(note, events)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.Archive(note, events); err != nil || !bytes.Equal(b, again) {
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
	// cpio silently leaves out a file whose directory is missing.
	if diff := cmp.Diff([]string{"imaboot", "imaboot/handover.json", "imaboot/measurements", "imaboot/eventlog"}, got); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(content["imaboot/measurements"], l.Bytes()) {
		t.Error("the list is not what was packed")
	}
	if !bytes.Equal(content["imaboot/eventlog"], events) {
		t.Errorf("event log %q", content["imaboot/eventlog"])
	}
	parsed, err := ParseNote(content["imaboot/handover.json"])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(note, parsed); diff != "" {
		t.Error(diff)
	}
	if err := CheckInitrd(t.Context(), append(slices.Clip(b), make([]byte, 512)...)); !errors.Is(err, ErrNotInitramfs) {
		t.Errorf("an initrd with a list of its own: %v", err)
	}
}
