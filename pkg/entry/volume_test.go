// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package entry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

// TestResolve: links are followed as a loader follows them, and never lead out
// of the volume.
func TestResolve(t *testing.T) {
	dir := fileroot.New(t, map[string]string{"boot/vmlinux-6": "kernel", "etc/zipl.conf": "zipl"})
	for name, to := range map[string]string{
		"vmlinux": "boot/vmlinux-6", "boot/vmlinux": "/boot/vmlinux-6", "boot/up": "../../../../etc/zipl.conf",
		"dir": "/boot", "root": "/", "boot/root": "..", "loop": "loop2", "loop2": "/loop", "out": "/../../proc/version", "none": "/nothing",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 { // few links with many parts
		if err := os.Symlink(strings.Repeat("boot/../", 400)+fmt.Sprint("far", i+1), filepath.Join(dir, fmt.Sprint("far", i))); err != nil {
			t.Fatal(err)
		}
	}
	v, err := OpenVolume(dir, "sda1")
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for _, tt := range []struct {
		name, want, err string
	}{
		{"/vmlinux", "boot/vmlinux-6", ""},
		{"boot/vmlinux", "boot/vmlinux-6", ""},
		{"/dir/vmlinux", "boot/vmlinux-6", ""},
		{"//boot/./../boot/vmlinux-6", "boot/vmlinux-6", ""},
		{"/../../boot/vmlinux-6", "boot/vmlinux-6", ""},
		{"/boot/up", "etc/zipl.conf", ""},
		{"/dir", "boot", ""},
		{"/dir/..", ".", ""},
		{"/", ".", ""},
		{"", ".", ""},
		{"/root/boot/root/vmlinux", "boot/vmlinux-6", ""},
		{"/root", ".", ""},
		{"/boot/vmlinux-6/", "boot/vmlinux-6", ""},
		{"/boot/vmlinux-6/..", "", "not a directory"},
		{"/vmlinux/x", "", "not a directory"},
		{"/loop", "", "sda1:/loop: too many links"},
		{"/far0", "", "sda1:/far0: too many parts"},
		{strings.Repeat("/boot/..", 200), "", "too many parts"},
		{"/out", "", "no such file"},
		{"/none", "", "no such file"},
		{"/boot/\x1b", "", `sda1:/boot/\x1b: no such file`},
	} {
		got, err := v.Resolve(tt.name)
		if got != tt.want || (err != nil) != (tt.err != "") || (err != nil && !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: %q, %v, want %q, %q", tt.name, got, err, tt.want, tt.err)
		}
	}
	if _, err := v.Path("/nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := v.Path("/boot"); !errors.Is(err, ErrConfig) {
		t.Errorf("a directory: %v", err)
	}
	if got, err := v.Path("/dir/vmlinux"); err != nil || got != filepath.Join(dir, "boot/vmlinux-6") {
		t.Errorf("%q, %v", got, err)
	}
	if b, err := v.ReadConfig("/boot/up"); string(b) != "zipl" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if diff := cmp.Diff([]string{"root", "up", "vmlinux", "vmlinux-6"}, v.List("/dir")); diff != "" {
		t.Error(diff)
	}
}

// TestWalked: each part of a path counts as one step, no matter how deep it is,
// and no directory stays open.
func TestWalked(t *testing.T) {
	const deep = 110
	dir := fileroot.New(t, map[string]string{strings.Repeat("d/", deep) + "f": "x"})
	if err := os.Symlink("/"+strings.Repeat("d/", deep), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	v, err := OpenVolume(dir, "sda1")
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	const times = 100
	for range times {
		if b, err := v.ReadConfig("/link/f"); string(b) != "x" || err != nil {
			t.Fatal(err)
		}
		if _, err := v.Path("/link/none"); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if got, want := v.Walked(), times*2*(deep+2); got != want {
		t.Errorf("%d steps, want %d", got, want)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	if len(open) > deep {
		t.Errorf("%d files are open", len(open))
	}
}

func TestReadConfigBig(t *testing.T) {
	dir := fileroot.New(t, map[string]string{"big": strings.Repeat("#", MaxConfig+1)})
	v, err := OpenVolume(dir, "sda1")
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := v.ReadConfig("big"); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v", err)
	}
	// A script may name the file again and again.
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > MaxConfig/2 {
		t.Errorf("%d bytes are read", made)
	}
}
