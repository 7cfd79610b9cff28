// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

type parser = func(*entry.Volume, entry.Volumes) (*entry.Config, error)

// files makes empty ones beside others.
func files(config map[string]string, empty ...string) map[string]string {
	for _, name := range empty {
		config[name] = ""
	}
	return config
}

func open(t testing.TB, device string, files map[string]string) *entry.Volume {
	t.Helper()
	v, err := entry.OpenVolume(fileroot.New(t, files), device)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// A parseTest is one volume sda2, and others.
type parseTest struct {
	name    string
	files   map[string]string
	others  map[string]map[string]string // by device
	want    []string                     // ID|title|kernel|initrds|device tree|command line, * before the default
	timeout string
	// elsewhere: the default is entry.Elsewhere.
	elsewhere bool
	notes     []string // a part of each
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

func run(t *testing.T, parse parser, tests []parseTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := open(t, "sda2", tt.files)
			all := entry.Volumes{v}
			for device, files := range tt.others {
				o := open(t, device, files)
				o.Label, o.UUID = "label-"+device, "UUID-"+device
				all = append(all, o)
			}
			slices.SortFunc(all, func(a, b *entry.Volume) int { return strings.Compare(a.Device, b.Device) })
			c, err := parse(v, all)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, show(c)); diff != "" {
				t.Error(diff)
			}
			if (c.Default == entry.Elsewhere) != tt.elsewhere {
				t.Errorf("default %d", c.Default)
			}
			timeout := ""
			if c.Timeout != nil {
				timeout = c.Timeout.String()
			}
			if timeout != tt.timeout {
				t.Errorf("timeout %q, want %q", timeout, tt.timeout)
			}
			if len(c.Notes) != len(tt.notes) {
				t.Fatalf("notes %q", c.Notes)
			}
			for i, want := range tt.notes {
				if !strings.Contains(c.Notes[i], want) {
					t.Errorf("note %q, want %q", c.Notes[i], want)
				}
			}
		})
	}
}

// fuzz parses a volume whose files have a text of the fuzzer's.
func fuzz(f *testing.F, parse parser, names []string, tests []parseTest) {
	for _, tt := range tests {
		for _, name := range names {
			if text, ok := tt.files[name]; ok {
				f.Add(text)
			}
		}
	}
	v := open(f, "sda2", files(map[string]string{}, "vmlinux", "initrd"))
	f.Fuzz(func(t *testing.T, text string) {
		fileroot.Add(t, v.Dir(), map[string]string{names[0]: text, "parm": text})
		start := time.Now()
		c, err := parse(v, entry.Volumes{v})
		if err != nil {
			t.Fatal(err)
		}
		if c.Default < entry.Elsewhere || c.Default >= max(len(c.Entries), 1) || len(c.Entries) > maxEntries || len(c.Notes) > 100 {
			t.Errorf("%d of %d entries, %d notes", c.Default, len(c.Entries), len(c.Notes))
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("took %v", d)
		}
	})
}

func TestFormats(t *testing.T) {
	const big = entry.MaxConfig + 1
	names := map[string][]string{"syslinux": syslinuxFiles, "kboot": kbootFiles, "yaboot": yabootFiles, "zipl": ziplFiles}
	for _, f := range Formats {
		empty := open(t, "sda2", nil)
		if _, err := f.Parse(empty, nil); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, entry.ErrConfig) {
			t.Errorf("%s: nothing: %v", f.Kind, err)
		}
		large := open(t, "sda2", map[string]string{names[f.Kind][0]: strings.Repeat("#", big)})
		if _, err := f.Parse(large, nil); errors.Is(err, fs.ErrNotExist) || !errors.Is(err, entry.ErrConfig) {
			t.Errorf("%s: large: %v", f.Kind, err)
		}
		for _, name := range names[f.Kind] {
			c, err := f.Parse(open(t, "sda2", map[string]string{name: "# nothing\n"}), nil)
			if err != nil {
				t.Fatal(err)
			}
			want := &entry.Config{Kind: f.Kind, Source: "sda2:/" + name, Default: entry.None}
			if diff := cmp.Diff(want, c); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestLines(t *testing.T) {
	text := "# a \\\nb\r\n\n  c \\\n # d \\\n e\n\\\n\\\nf\\"
	want := []line{{"x:2", "b"}, {"x:4", "c # d e"}, {"x:7", "f"}}
	if diff := cmp.Diff(want, lines("x", text, true), cmp.AllowUnexported(line{})); diff != "" {
		t.Error(diff)
	}
}

// TestBounds: neither many entries nor long lines that all of them have take
// long.
func TestBounds(t *testing.T) {
	const many = 20 * maxEntries
	long := strings.Repeat("x", entry.MaxConfig/2)
	menu := &strings.Builder{}
	for i := range many {
		fmt.Fprintf(menu, "%d=s\n", i)
	}
	for _, tt := range []struct {
		parse         parser
		name, content string
		entries       int
	}{
		{Syslinux, "syslinux.cfg", strings.Repeat("label a\n", many) + "include syslinux.cfg\n", maxEntries},
		{Syslinux, "syslinux.cfg", "append " + long + "\n" + strings.Repeat("label a\n", many), 0},
		{Kboot, "kboot.conf", strings.Repeat("a=/a\n", many), maxEntries},
		{Kboot, "kboot.conf", "root=" + long + "\n" + strings.Repeat("a=/a\n", many), 0},
		{Yaboot, "yaboot.conf", strings.Repeat("image=/a\n", many), maxEntries},
		{Yaboot, "yaboot.conf", "append=" + long + "\n" + strings.Repeat("image=/a\n", many), 0},
		{Zipl, "zipl.conf", "[defaultboot]\ndefaultmenu=m\n[s]\nimage=/a\n:m\n" + menu.String(), maxEntries},
		{Zipl, "zipl.conf", strings.Repeat("[s]\nimage=/a\nparmfile=/long\n", many), 0},
	} {
		c, err := tt.parse(open(t, "sda2", map[string]string{tt.name: tt.content, "a": "", "long": long}), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Entries) != tt.entries || len(c.Notes) == 0 {
			t.Errorf("%s: %d entries, want %d, %d notes", c.Source, len(c.Entries), tt.entries, len(c.Notes))
		}
	}
}
