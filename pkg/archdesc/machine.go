// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/u-root/u-root/pkg/dt"
)

// A Machine describes the computer and its running kernel, as far as a plan
// needs it. ReadMachine reads it, or a test takes that of a captured guest.
type Machine struct {
	// Arch is the GOARCH name of the architecture.
	Arch string

	// PageSize is the running kernel's page size in bytes. kexec_load(2)
	// takes segments in whole pages.
	PageSize Addr

	// Cmdline is the running kernel's command line, without the final
	// newline.
	Cmdline string

	// RAM is the memory that the running kernel uses: System RAM of
	// /proc/iomem without offline blocks.
	RAM Ranges

	// CrashKernel is the memory that is reserved for a crash kernel, from
	// /proc/iomem.
	CrashKernel Ranges

	// Tree is the live device tree, or nil.
	Tree *dt.Node

	// BootCPU is the hardware id of the CPU that will jump.
	BootCPU uint32

	// IPLReport says that an IBM Z machine was started with a report of
	// what its firmware loaded. The report's memory has since been reused.
	IPLReport bool

	// PC is nil unless Arch is amd64.
	PC *PC
}

// ReadMachine reads the machine from the proc and sys file systems under root,
// which is "/" for the running one. They do not tell the page size, in bytes.
// If the kernel hides addresses, the error wraps ErrNoPrivilege; if the device
// tree is bad, ErrBadTree; if it does not tell what amd64 needs, ErrMachine.
//
// Sources: kernel/resource.c (iomem), fs/proc/proc_devtree.c, kernel/reboot.c
// (/sys/kernel/reboot/cpu) and drivers/base/memory.c.
func ReadMachine(root, arch string, pageSize int) (*Machine, error) {
	if pageSize <= 0 || pageSize&(pageSize-1) != 0 {
		return nil, fmt.Errorf("page size %d is not a power of two", pageSize)
	}
	m := &Machine{Arch: arch, PageSize: Addr(pageSize)}

	cmdline, err := os.ReadFile(filepath.Join(root, "proc/cmdline"))
	if err != nil {
		return nil, fmt.Errorf("running kernel's command line: %w", err)
	}
	m.Cmdline = strings.TrimRight(string(cmdline), "\n\x00")

	name := filepath.Join(root, "proc/iomem")
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("memory map: %w", err)
	}
	defer f.Close()
	if m.RAM, m.CrashKernel, err = parseIOMem(f); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}

	offline, err := offlineMemory(root)
	if err != nil {
		return nil, err
	}
	for _, r := range offline {
		m.RAM = m.RAM.minus(r)
	}

	// On a running system this is a link, in a captured tree a directory.
	m.Tree, err = ReadTree(filepath.Join(root, "proc/device-tree"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	m.BootCPU = bootCPU(root)
	m.IPLReport = s390xIPLReport(root)
	if arch != (amd64{}).Name() {
		return m, nil
	}
	if m.PC, err = readPC(root); err != nil {
		return nil, err
	}
	return m, nil
}

// offlineMemory returns the memory blocks that /proc/iomem lists although they
// are offline (drivers/base/memory.c).
func offlineMemory(root string) ([]Range, error) {
	dir := filepath.Join(root, "sys/devices/system/memory")
	b, err := os.ReadFile(filepath.Join(dir, "block_size_bytes"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a kernel without memory hotplug
	}
	if err != nil {
		return nil, fmt.Errorf("memory blocks: %w", err)
	}
	size, err := strconv.ParseUint(strings.TrimSpace(string(b)), 16, 64)
	if err != nil {
		return nil, fmt.Errorf("%s/block_size_bytes: %w", dir, err)
	}
	states, err := filepath.Glob(filepath.Join(dir, "memory*/state"))
	if err != nil {
		return nil, err
	}
	var out []Range
	for _, name := range states {
		state, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(state), "offline") {
			continue // removed in the meantime, or online
		}
		number := strings.TrimPrefix(filepath.Base(filepath.Dir(name)), "memory")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil || (size > 0 && n > math.MaxUint64/size) {
			return nil, fmt.Errorf("%s: no number of a memory block", name)
		}
		out = append(out, rangeOf(Addr(n*size), Addr(size)))
	}
	return out, nil
}

// bootCPU returns the hardware id of the CPU that a kexec moves to, or 0 if the
// kernel does not tell. That is good enough: a trampoline that knows the id
// overwrites it.
func bootCPU(root string) uint32 {
	logical := "0"
	if b, err := os.ReadFile(filepath.Join(root, "sys/kernel/reboot/cpu")); err == nil {
		logical = strings.TrimSpace(string(b))
	}
	b, err := os.ReadFile(filepath.Join(root, "sys/devices/system/cpu/cpu"+logical+"/physical_id"))
	if err != nil {
		return 0
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(b)), 0, 32)
	if err != nil {
		return 0
	}
	return uint32(id)
}
