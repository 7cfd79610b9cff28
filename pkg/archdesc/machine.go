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

// A Machine is what a plan must know of the computer and its running kernel.
// It is read once, by ReadMachine, or comes from a captured guest.
type Machine struct {
	// Arch is the GOARCH name of the architecture.
	Arch string

	// PageSize is the running kernel's, in bytes: kexec_load(2) takes
	// segments in whole pages of it.
	PageSize Addr

	// Cmdline is the running kernel's command line, without a newline.
	Cmdline string

	// RAM is the memory that the running kernel uses, from /proc/iomem
	// without the blocks that are offline.
	RAM Ranges

	// CrashKernel is memory kept for a crash kernel, from /proc/iomem.
	CrashKernel Ranges

	// Tree is the live device tree, nil where there is none.
	Tree *dt.Node

	// BootCPU is the hardware id of the CPU that will do the jump.
	BootCPU uint32

	// IPLReport says that the firmware of an IBM Z machine started it with
	// a report of what it loaded, in memory that is long reused.
	IPLReport bool
}

// ReadMachine reads the machine from the proc and sys file systems under root
// ("/" for the running one). The page size cannot be read from there.
//
// Sources: kernel/resource.c (iomem), fs/proc/proc_devtree.c, and
// kernel/reboot.c (/sys/kernel/reboot/cpu).
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

	// The link /proc/device-tree and its target are the same everywhere,
	// but a captured tree may hold either.
	m.Tree, err = ReadTree(filepath.Join(root, "proc/device-tree"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	m.BootCPU = bootCPU(root)
	m.IPLReport = s390xIPLReport(root)
	return m, nil
}

// offlineMemory are memory blocks that /proc/iomem lists, but that nothing is
// behind (drivers/base/memory.c).
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
			continue // gone meanwhile, or in use
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

// bootCPU is the hardware id of the CPU that a kexec moves to. Firmware and
// trampolines that know better overwrite it, so that 0 is a fair answer where
// the kernel does not say.
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
