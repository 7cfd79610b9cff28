// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

// imaFiles makes a tree of files as the kernel shows it.
func imaFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	under := map[string]string{}
	for name, content := range files {
		under[filepath.Join(imaDir, name)] = content
	}
	return fileroot.New(t, under)
}

func TestReadLive(t *testing.T) {
	data := string(twoHops(binary.LittleEndian).data)
	first := len(unhex(t, bootAggregateLE)) // any record boundary will do
	for r := range mustParse(t, []byte(data)).All {
		if r.Number == 4 {
			first = r.Offset
		}
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		count int
	}{
		{"old kernel", map[string]string{"binary_runtime_measurements": data}, 9},
		{"per algorithm", map[string]string{"binary_runtime_measurements_sha1": data, "binary_runtime_measurements": "not read"}, 9},
		{"staged", map[string]string{
			"binary_runtime_measurements_sha1_staged": data[:first],
			"binary_runtime_measurements_sha1":        data[first:],
		}, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.files[countFile] = strconv.Itoa(tt.count) + "\n"
			s, err := ReadLive(t.Context(), imaFiles(t, tt.files))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(data, string(s.Bytes())); diff != "" {
				t.Error(diff)
			}
			if s.Count != tt.count {
				t.Errorf("count %d, want %d", s.Count, tt.count)
			}
			b, err := s.Buffer()
			if err != nil {
				t.Fatal(err)
			}
			if &b[HeaderSize] != &s.Bytes()[0] {
				t.Error("the buffer is a copy of the list")
			}
			if _, err := ParseBuffer(b); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestReadLiveLarge needs more memory than the count suggests.
func TestReadLiveLarge(t *testing.T) {
	b := &builder{order: binary.LittleEndian}
	b.ng("boot_aggregate")
	for i := range 5000 {
		b.ng("/usr/lib/a/long/name/of/a/file/that/is/measured/" + strconv.Itoa(i))
	}
	s, err := ReadLive(t.Context(), imaFiles(t, map[string]string{countFile: "5001\n", "binary_runtime_measurements": string(b.data)}))
	if err != nil {
		t.Fatal(err)
	}
	if s.Records() != 5001 {
		t.Errorf("%d records", s.Records())
	}
}

func TestReadLiveBad(t *testing.T) {
	empty := t.TempDir()
	noIMA := t.TempDir()
	if err := os.MkdirAll(filepath.Join(noIMA, securityDir, "lockdown"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, root string
		want       error
	}{
		{"no securityfs", empty, ErrNoSecurityfs},
		{"no IMA", noIMA, ErrNoIMA},
		{"more than the count", imaFiles(t, map[string]string{countFile: "8", "binary_runtime_measurements": string(twoHops(binary.LittleEndian).data)}), ErrCount},
		{"less than the count", imaFiles(t, map[string]string{countFile: "10", "binary_runtime_measurements": string(twoHops(binary.LittleEndian).data)}), ErrCount},
		{"staged records are not counted", imaFiles(t, map[string]string{countFile: "18", "binary_runtime_measurements_staged": string(twoHops(binary.LittleEndian).data), "binary_runtime_measurements": string(twoHops(binary.LittleEndian).data)}), ErrCount},
		{"no list", imaFiles(t, map[string]string{countFile: "1"}), ErrNoIMA},
		{"cut short", imaFiles(t, map[string]string{countFile: "1", "binary_runtime_measurements": "\x0a\x00\x00\x00123"}), ErrTruncated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ReadLive(t.Context(), tt.root); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := ReadLive(t.Context(), imaFiles(t, map[string]string{countFile: "many"})); err == nil {
		t.Error("no error for a count that is no number")
	}
}
