// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"maps"
	"slices"
	"testing"
)

func TestAptSize(t *testing.T) {
	for _, tt := range []struct {
		name, out      string
		download, disk int64
	}{
		{"new", "Need to get 140 MB of archives.\nAfter this operation, 562 MB of additional disk space will be used.\n", 140e6, 562e6},
		{"large and small", "Need to get 1,234 kB of archives.\nAfter this operation, 1.5 GB of additional disk space will be used.\n", 1234e3, 1500e6},
		{"downloaded in part", "Need to get 56.7 MB/140 MB of archives.\n", 567e5, 0},
		{"downloaded", "Need to get 0 B/140 MB of archives.\nAfter this operation, 12 kB disk space will be freed.\n", 0, 0},
		{"nothing", "0 upgraded, 0 newly installed, 0 to remove and 3 not upgraded.\n", 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			download, err := aptSize(tt.out, needToGet)
			if err != nil {
				t.Fatal(err)
			}
			disk, err := aptSize(tt.out, afterwards)
			if err != nil {
				t.Fatal(err)
			}
			if download != tt.download || disk != tt.disk {
				t.Errorf("%d to download, %d on disk, want %d and %d", download, disk, tt.download, tt.disk)
			}
		})
	}
}

func TestAptSizeBad(t *testing.T) {
	if n, err := aptSize("Need to get 1.2.3 MB of archives.", needToGet); err == nil {
		t.Errorf("%d and no error", n)
	}
}

func TestWork(t *testing.T) {
	for _, tt := range []struct {
		name string
		w    work
		want string
	}{
		{"nothing", work{cpus: 2}, ""},
		{"packages", work{packages: 3, debs: 52_000_000, disk: 210_000_000, cpus: 2},
			"missing are 3 packages and what they need from apt: 52 MB to download, 210 MB on disk. This takes about 1 min"},
		{"all", work{packages: 1, debs: 1_400_000, disk: 1_000_000, downloads: []string{"linux-image-1 1", "linux-source-2 2"}, downloadSize: 180_000_000, builds: []string{Own4k}, cpus: 2},
			"missing are 1 packages and what they need from apt: 1 MB to download, 1 MB on disk; " +
				"linux-image-1 1, linux-source-2 2 for guests: 180 MB to download; kernels to build with 2 CPUs: own-4k. This takes about 7 min"},
	} {
		if got := tt.w.String(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestToolsFor: a demo needs QEMU of its architecture alone, and a compiler
// only if it builds a kernel.
func TestToolsFor(t *testing.T) {
	for _, tt := range []struct {
		kernels []string
		have    []string
		lack    []string
	}{
		{[]string{Debian61, Own4k}, []string{"qemu-system-ppc", "swtpm", "gcc-powerpc64le-linux-gnu", "bison"}, []string{"qemu-system-s390x", "gcc-s390x-linux-gnu", "xfsprogs", "qemu-user-static"}},
		{[]string{Debian61S390X}, []string{"qemu-system-s390x"}, []string{"qemu-system-ppc", "swtpm", "gcc", "bison"}},
	} {
		var packages []string
		for _, tool := range toolsFor(tt.kernels) {
			packages = append(packages, tool.packages...)
		}
		for _, p := range tt.have {
			if !slices.Contains(packages, p) {
				t.Errorf("%v: no package %s", tt.kernels, p)
			}
		}
		for _, p := range tt.lack {
			if slices.Contains(packages, p) {
				t.Errorf("%v: package %s", tt.kernels, p)
			}
		}
	}
}

// TestArchitectures checks that all tables list the same architectures.
func TestArchitectures(t *testing.T) {
	tools := slices.Sorted(maps.Keys(archTools))
	if !slices.Equal(tools, Architectures()) {
		t.Errorf("tools for %v, guests of %v", tools, Architectures())
	}
	built := map[string]int{}
	for _, k := range FewKernels() {
		arch := archOf(k)
		if !slices.Contains(tools, arch) {
			t.Errorf("%s: architecture %q", k, arch)
		}
		if _, ok := own[k]; ok {
			built[arch]++
		}
	}
	for arch, n := range built {
		if n > 1 {
			t.Errorf("%d kernels of %s gate a change, 1 is the most", n, arch)
		}
	}
}
