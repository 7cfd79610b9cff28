// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package loadertest runs the parsers of loaders' configurations on volumes
// that are made for a test.
package loadertest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/loader"
)

// A Parser reads one format from a volume.
type Parser = func(*entry.Volume, entry.Volumes) (*entry.Config, error)

// Files adds empty files to others.
func Files(config map[string]string, empty ...string) map[string]string {
	for _, name := range empty {
		config[name] = ""
	}
	return config
}

// Open makes a volume.
func Open(t testing.TB, device string, files map[string]string) *entry.Volume {
	t.Helper()
	v, err := entry.OpenVolume(fileroot.New(t, files), device)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// A Case is a volume sda2 with a configuration, and what comes of it.
type Case struct {
	Name  string
	Files map[string]string
	// Others are other volumes by their devices. Their labels and UUIDs are
	// label-DEVICE and UUID-DEVICE.
	Others map[string]map[string]string
	// Twins: all others have the label and UUID twin.
	Twins bool
	// Want are the entries: ID|title|kernel|initrds|device tree|command line,
	// with * before the default.
	Want    []string
	Timeout string
	// Elsewhere: the default is entry.Elsewhere.
	Elsewhere bool
	// Notes are a part of each note.
	Notes []string
}

func show(c *entry.Config) []string {
	var out []string
	for i, e := range c.Entries {
		var initrds []string
		for _, f := range e.Initrds {
			initrds = append(initrds, f.String())
		}
		tree, mark := "", ""
		if e.DeviceTree != nil {
			tree = e.DeviceTree.String()
		}
		if i == c.Default {
			mark = "*"
		}
		out = append(out, fmt.Sprintf("%s%s|%s|%s|%s|%s|%s",
			mark, e.ID, e.Title, e.Kernel, strings.Join(initrds, ","), tree, e.Cmdline))
	}
	return out
}

// Run compares what a parser makes of each case with what the case wants.
func Run(t *testing.T, parse Parser, cases []Case) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.Name, func(t *testing.T) {
			v := Open(t, "sda2", tt.Files)
			all := entry.Volumes{v}
			for device, files := range tt.Others {
				o := Open(t, device, files)
				if o.Label, o.UUID = "label-"+device, "UUID-"+device; tt.Twins {
					o.Label, o.UUID = "twin", "twin"
				}
				all = append(all, o)
			}
			slices.SortFunc(all, func(a, b *entry.Volume) int { return strings.Compare(a.Device, b.Device) })
			c, err := parse(v, all)
			if err != nil {
				t.Fatal(err)
			}
			check(t, &tt, c)
		})
	}
}

func check(t *testing.T, want *Case, c *entry.Config) {
	t.Helper()
	if diff := cmp.Diff(want.Want, show(c)); diff != "" {
		t.Error(diff)
	}
	if (c.Default == entry.Elsewhere) != want.Elsewhere {
		t.Errorf("default %d", c.Default)
	}
	timeout := ""
	if c.Timeout != nil {
		timeout = c.Timeout.String()
	}
	if timeout != want.Timeout {
		t.Errorf("timeout %q, want %q", timeout, want.Timeout)
	}
	if len(c.Notes) != len(want.Notes) {
		t.Fatalf("notes %q", c.Notes)
	}
	for i, part := range want.Notes {
		if !strings.Contains(c.Notes[i], part) {
			t.Errorf("note %q, want %q", c.Notes[i], part)
		}
	}
}

// Fuzz parses a volume whose files have a text of the fuzzer's. The seeds are
// the cases' configurations.
func Fuzz(f *testing.F, parse Parser, names []string, cases []Case) {
	for _, tt := range cases {
		for _, name := range names {
			if text, ok := tt.Files[name]; ok {
				f.Add(text)
			}
		}
	}
	v := Open(f, "sda2", Files(map[string]string{}, "vmlinux", "initrd"))
	f.Fuzz(func(t *testing.T, text string) {
		fileroot.Add(t, v.Dir(), map[string]string{names[0]: text, "parm": text})
		start := time.Now()
		c, err := parse(v, entry.Volumes{v})
		if err != nil {
			t.Fatal(err)
		}
		if c.Default < entry.Elsewhere || c.Default >= max(len(c.Entries), 1) || len(c.Entries) > loader.MaxEntries || len(c.Notes) > 100 {
			t.Errorf("%d of %d entries, %d notes", c.Default, len(c.Entries), len(c.Notes))
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("took %v", d)
		}
	})
}

// CheckFiles parses volumes without the configuration, with one that is too
// large, and with an empty one of each name.
func CheckFiles(t *testing.T, kind string, parse Parser, names []string) {
	t.Helper()
	if _, err := parse(Open(t, "sda2", nil), nil); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, entry.ErrConfig) {
		t.Errorf("nothing: %v", err)
	}
	large := Open(t, "sda2", map[string]string{names[0]: strings.Repeat("#", entry.MaxConfig+1)})
	if _, err := parse(large, nil); errors.Is(err, fs.ErrNotExist) || !errors.Is(err, entry.ErrConfig) {
		t.Errorf("large: %v", err)
	}
	for _, name := range names {
		c, err := parse(Open(t, "sda2", map[string]string{name: "# nothing\n"}), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := &entry.Config{Kind: kind, Source: "sda2:/" + name, Default: entry.None}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Error(diff)
		}
	}
}

// CheckPaths parses a configuration with many entries whose files are at the end
// of a long link, link/a, and expects that few of these are followed.
func CheckPaths(t *testing.T, parse Parser, files map[string]string) {
	t.Helper()
	v := Open(t, "sda2", Files(files, "a", "d/x"))
	if err := os.Symlink(strings.Repeat("/d/..", 120), filepath.Join(v.Dir(), "link")); err != nil {
		t.Fatal(err)
	}
	c, err := parse(v, entry.Volumes{v})
	if err != nil {
		t.Fatal(err)
	}
	const most = 1<<17 + 1<<13
	if n := v.Walked(); n > most || len(c.Entries) == 0 {
		t.Errorf("%d parts of paths, %d entries", n, len(c.Entries))
	}
}

// Many is more entries than a configuration may make.
const Many = 20 * loader.MaxEntries

// Long is longer than a command line may be, and shorter than a configuration.
var Long = strings.Repeat("x", entry.MaxConfig/2)

// CheckBounds parses a configuration that exceeds a bound; it must make that
// many entries and a note. The volume also has an empty file a, and a file long
// that holds Long.
func CheckBounds(t *testing.T, parse Parser, name, text string, entries int) {
	t.Helper()
	c, err := parse(Open(t, "sda2", map[string]string{name: text, "a": "", "long": Long}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Entries) != entries || len(c.Notes) == 0 {
		t.Errorf("%s: %d entries, want %d, %d notes", c.Source, len(c.Entries), entries, len(c.Notes))
	}
}
