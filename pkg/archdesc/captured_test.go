// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// captured reads a machine that was captured in a guest. testdata/ARCH/NAME has
// its /proc/iomem, its live device tree if there is one, on amd64 the files
// below /sys that ReadMachine reads, and a description of the guest in
// machine.json.
func captured(t testing.TB, arch, name string) *Machine {
	t.Helper()
	dir := filepath.Join("testdata", arch, name)
	var info struct {
		PageSize uint64 `json:"page_size"`
		BootCPU  uint32 `json:"boot_cpu"`
		Cmdline  string `json:"cmdline"`
	}
	read := func(file string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if err := json.Unmarshal(read("machine.json"), &info); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "iomem"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := &Machine{Arch: arch, PageSize: Addr(info.PageSize), BootCPU: info.BootCPU, Cmdline: info.Cmdline}
	if m.RAM, m.CrashKernel, err = parseIOMem(f); err != nil {
		t.Fatal(err)
	}
	if arch == (amd64{}).Name() {
		if m.PC, err = readPC(dir); err != nil {
			t.Fatal(err)
		}
	}
	const blob = "device-tree.dtb"
	if _, err := os.Stat(filepath.Join(dir, blob)); err != nil {
		return m // s390x has none
	}
	tree, err := ParseTree(read(blob))
	if err != nil {
		t.Fatal(err)
	}
	m.Tree = tree.RootNode
	return m
}

// capturedNames returns the names of an architecture's captured machines.
func capturedNames(t testing.TB, arch string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("testdata", arch))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}
