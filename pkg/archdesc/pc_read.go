// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// sysfs reads files below a root.
type sysfs string

func (s sysfs) read(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(string(s), name))
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w: %w", ErrNoPrivilege, err)
	}
	return b, err
}

// text reads a line. It is "" if there is no such file.
func (s sysfs) text(name string) (string, error) {
	b, err := s.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(b)), err
}

// number reads a number in Go's notation, which is C's for what sysfs has.
func (s sysfs) number(name string) (uint64, error) {
	b, err := s.read(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %w", ErrMachine, name, err)
	}
	return n, nil
}

// numbered returns the entries of a directory whose names are numbers, in their
// order.
func (s sysfs) numbered(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(string(s), dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	var names []string
	for _, n := range numbers {
		names = append(names, filepath.Join(dir, strconv.Itoa(n)))
	}
	return names, nil
}

// readPC reads the machine from the files below root that the kernel has there,
// or that were copied from it.
func readPC(root string) (*PC, error) {
	s := sysfs(root)
	if err := checkXen(s); err != nil {
		return nil, err
	}
	p := &PC{}
	var err error
	if p.BootParams, err = readBootParams(s); err != nil {
		return nil, err
	}
	if p.Map, err = readMap(s); err != nil {
		return nil, err
	}
	if p.EFI, err = readEFI(s); err != nil {
		return nil, err
	}
	if p.RSDP, err = readRSDP(s, p.BootParams); err != nil {
		return nil, err
	}
	p.EventLog = readEventLog(s)
	info, err := s.text("proc/cpuinfo")
	p.FiveLevel = slices.Contains(strings.Fields(info), "la57")
	return p, err
}

// checkXen refuses guests whose kexec_load(2) goes to the hypervisor
// (drivers/xen/sys-hypervisor.c).
func checkXen(s sysfs) error {
	hypervisor, err := s.text("sys/hypervisor/type")
	if err != nil || hypervisor != "xen" {
		return err
	}
	guest, err := s.text("sys/hypervisor/guest_type")
	if err == nil && guest != "HVM" {
		err = fmt.Errorf("%w: in a %s guest of Xen, kexec is the hypervisor's", ErrMachine, cmp.Or(guest, "PV"))
	}
	return err
}

// readBootParams reads struct boot_params from sysfs, or from debugfs
// (arch/x86/kernel/ksysfs.c and kdebugfs.c).
func readBootParams(s sysfs) ([]byte, error) {
	const name = "sys/kernel/boot_params/data"
	b, err := s.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		if b, err = s.read("sys/kernel/debug/boot_params/data"); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: neither /%s nor debugfs has the running kernel's boot_params", ErrMachine, name)
		}
	}
	if err == nil && len(b) != amd64ParamsSize {
		err = fmt.Errorf("%w: boot_params has %d bytes instead of %d", ErrMachine, len(b), amd64ParamsSize)
	}
	return b, err
}

// readMap reads the firmware's memory map (drivers/firmware/memmap.c), or takes
// /proc/iomem for it on kernels without CONFIG_FIRMWARE_MEMMAP.
func readMap(s sysfs) ([]MapEntry, error) {
	names, err := s.numbered("sys/firmware/memmap")
	if err != nil {
		return nil, err
	}
	var out []MapEntry
	for _, name := range names {
		start, err := s.number(name + "/start")
		if err != nil {
			return nil, err
		}
		last, err := s.number(name + "/end")
		if err != nil {
			return nil, err
		}
		if last < start || last == math.MaxUint64 {
			return nil, fmt.Errorf("%w: /%s is from %#x to %#x", ErrMachine, name, start, last)
		}
		kind, err := s.text(name + "/type")
		if err != nil {
			return nil, err
		}
		out = append(out, MapEntry{Range{Addr(start), Addr(last) + 1}, cmp.Or(mapTypes[strings.ToLower(kind)], mapReserved)})
	}
	if len(out) == 0 {
		if out, err = mapOfIOMem(s); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b MapEntry) int { return cmp.Compare(a.Start, b.Start) })
	return out, nil
}

// mapOfIOMem reads the lines of /proc/iomem that the kernel made of the
// firmware's map.
func mapOfIOMem(s sysfs) ([]MapEntry, error) {
	b, err := s.read("proc/iomem")
	if err != nil {
		return nil, err
	}
	var out []MapEntry
	for line := range strings.Lines(string(b)) {
		span, name, _ := strings.Cut(strings.TrimRight(line, "\n"), " : ")
		kind, ok := mapTypes[strings.ToLower(name)]
		if !ok || strings.HasPrefix(span, " ") {
			continue
		}
		r, err := parseSpan(span)
		if err != nil {
			return nil, fmt.Errorf("/proc/iomem: %w", err)
		}
		out = append(out, MapEntry{r, kind})
	}
	return out, nil
}

// readEFI reads the state of the runtime services. They can be handed on only
// with their memory map, which needs CONFIG_EFI_RUNTIME_MAP, and with the address
// of the configuration tables (arch/x86/platform/efi/runtime-map.c, efi.c).
func readEFI(s sysfs) (*EFI, error) {
	const dir = "sys/firmware/efi"
	names, err := s.numbered(dir + "/runtime-map")
	if err != nil || len(names) == 0 {
		return nil, err
	}
	e := &EFI{}
	for _, name := range names {
		var fields [5]uint64
		for i, field := range []string{"type", "phys_addr", "virt_addr", "num_pages", "attribute"} {
			if fields[i], err = s.number(name + "/" + field); err != nil {
				return nil, err
			}
		}
		e.Map = append(e.Map, EFIMapEntry{uint32(fields[0]), fields[1], fields[2], fields[3], fields[4]}) //nolint:gosec // 32 bits in the kernel
	}
	for name, to := range map[string]*Addr{"fw_vendor": &e.FWVendor, "config_table": &e.Tables} {
		n, err := s.number(dir + "/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		*to = Addr(n)
	}
	tables, err := readEFITables(s)
	if err != nil {
		return nil, err
	}
	e.SMBIOS = tables["SMBIOS"]
	return e, nil
}

// readEFITables reads the addresses of tables by their names, for example
// ACPI20 and SMBIOS (drivers/firmware/efi/efi.c, systab_show).
func readEFITables(s sysfs) (map[string]Addr, error) {
	const name = "sys/firmware/efi/systab"
	b, err := s.text(name)
	if err != nil {
		return nil, err
	}
	out := map[string]Addr{}
	for line := range strings.Lines(b) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		n, err := strconv.ParseUint(value, 0, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: /%s: %w", ErrMachine, name, err)
		}
		out[key] = Addr(n)
	}
	return out, nil
}

// readRSDP returns the address that the running kernel was given, or that of
// EFI's tables. A kernel that was started by its EFI stub was given none.
func readRSDP(s sysfs, bootParams []byte) (Addr, error) {
	if a := amd64Param64(bootParams, amd64ParamRSDP); a != 0 {
		return a, nil
	}
	tables, err := readEFITables(s)
	return cmp.Or(tables["ACPI20"], tables["ACPI"]), err
}
