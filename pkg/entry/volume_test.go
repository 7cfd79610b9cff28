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

// TestResolve: links are followed as a loader does, and never out of the
// volume.
func TestResolve(t *testing.T) {
	dir := fileroot.New(t, map[string]string{"boot/vmlinux-6": "kernel", "etc/zipl.conf": "zipl"})
	for name, to := range map[string]string{
		"vmlinux": "boot/vmlinux-6", "boot/vmlinux": "/boot/vmlinux-6", "boot/up": "../../../../etc/zipl.conf",
		"dir": "/boot", "loop": "loop2", "loop2": "/loop", "out": "/../../proc/version", "none": "/nothing",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 { // few links, of many parts
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
	if diff := cmp.Diff([]string{"up", "vmlinux", "vmlinux-6"}, v.List("/dir")); diff != "" {
		t.Error(diff)
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
	// A script may name it again and again.
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > MaxConfig/2 {
		t.Errorf("%d bytes are read", made)
	}
}
