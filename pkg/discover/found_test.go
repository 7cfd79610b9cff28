// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

func TestDefault(t *testing.T) {
	config := func(def int, names ...string) *entry.Config {
		c := &entry.Config{Source: "sda2:/boot/grub/grub.cfg", Default: def}
		for _, n := range names {
			c.Entries = append(c.Entries, entry.Entry{ID: "id-" + n, Title: n, Kernel: entry.File{Name: n}})
		}
		return c
	}
	for _, tt := range []struct {
		name, wanted string
		config       *entry.Config
		want         int
		err          string
	}{
		{"the loader's", "", config(1, "a", "b"), 1, ""},
		{"by title", "b", config(0, "a", "b"), 1, ""},
		{"by ID", "id-b", config(0, "a", "b"), 1, ""},
		{"by number", "2", config(0, "a", "b"), 1, ""},
		{"a title is no number", "1", config(0, "a", "1"), 1, ""},
		{"beyond the last", "3", config(0, "a", "b"), 0, `no entry "3"`},
		{"number 0", "0", config(0, "a"), 0, `no entry "0"`},
		{"unknown", "c", config(0, "a"), 0, `no entry "c"`},
		{"another system", "", config(entry.Elsewhere, "a"), 0, "unasked: sda2:/boot/grub/grub.cfg boots what is not offered here"},
		{"another system, but named", "a", config(entry.Elsewhere, "a"), 0, ""},
		{"nothing", "", config(entry.None), 0, "in disk,net"},
	} {
		configs := []*entry.Config{tt.config}
		f := &Found{configs: configs, choices: choicesOf(configs), wanted: tt.wanted, from: []Place{Disk, Net}}
		got, err := f.Default()
		if tt.err != "" {
			if !errors.Is(err, ErrNothingFound) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %d, %v, want %d", tt.name, got, err, tt.want)
		}
	}
}

// TestFiles: names are those on this machine, and what is on the network is
// downloaded.
func TestFiles(t *testing.T) {
	s := serve(t, map[string]string{"/initrd": "an initrd"})
	dir := fileroot.New(t, map[string]string{"boot/vmlinuz-6.1": "", "boot/config-6.1": "", "boot/tree": "", "other/vmlinuz-6.1": ""})
	if err := os.Symlink("/boot/vmlinuz-6.1", filepath.Join(dir, "vmlinuz")); err != nil {
		t.Fatal(err)
	}
	v, err := entry.OpenVolume(dir, "sda1")
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	downloads := t.TempDir()
	f := &Found{cache: fetch.NewCache(downloads, &fetch.Fetcher{}, nil, t.Logf)}
	on := func(name string) entry.File { return entry.File{Volume: v, Name: name} }
	tree := on("/boot/tree")
	for _, tt := range []struct {
		name string
		e    entry.Entry
		want Files
		err  error
	}{
		{"all", entry.Entry{Kernel: on("/boot/vmlinuz-6.1"), Initrds: []entry.File{{Name: s.URL + "/initrd"}}, DeviceTree: &tree}, Files{
			Kernel: filepath.Join(dir, "boot/vmlinuz-6.1"), Initrds: []string{filepath.Join(downloads, "1-initrd")},
			DeviceTree: filepath.Join(dir, "boot/tree"), Config: filepath.Join(dir, "boot/config-6.1"),
		}, nil},
		{"elsewhere on the server", entry.Entry{Kernel: entry.File{Name: s.URL + "/none", Else: s.URL + "/initrd"}}, Files{Kernel: filepath.Join(downloads, "1-initrd")}, nil},
		{"nowhere on the server", entry.Entry{Kernel: entry.File{Name: s.URL + "/none", Else: s.URL + "/none2"}}, Files{}, fetch.ErrNotFound},
		{"no configuration", entry.Entry{Kernel: on("/other/vmlinuz-6.1")}, Files{Kernel: filepath.Join(dir, "other/vmlinuz-6.1")}, nil},
		{"a link", entry.Entry{Kernel: on("/vmlinuz")}, Files{Kernel: filepath.Join(dir, "boot/vmlinuz-6.1")}, nil},
		{"no kernel", entry.Entry{Kernel: on("/none")}, Files{}, entry.ErrConfig},
		{"no initrd", entry.Entry{Kernel: on("/vmlinuz"), Initrds: []entry.File{{Name: s.URL + "/none"}}}, Files{}, fetch.ErrNotFound},
		{"a directory", entry.Entry{Kernel: on("/vmlinuz"), DeviceTree: &entry.File{Volume: v, Name: "/boot"}}, Files{}, entry.ErrConfig},
	} {
		got, err := f.Files(t.Context(), &tt.e)
		if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v\n%s", tt.name, err, diff)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(downloads); len(left) > 0 {
		t.Errorf("%v is left over", left)
	}
}
