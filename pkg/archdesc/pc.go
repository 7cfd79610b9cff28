// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrMachine means that the running kernel does not tell what the next one has to
// know, or cannot start another one.
var ErrMachine = refusal.New(refusal.UnknownMachine, "machine not understood")

// A PC holds what a kernel of amd64 is told about its machine by whoever starts
// it.
type PC struct {
	// BootParams is struct boot_params of the running kernel, 4096 bytes
	// (arch/x86/include/uapi/asm/bootparam.h).
	BootParams []byte

	// Map is the firmware's memory map, sorted by address, before the
	// running kernel applied its command line. Entries may overlap.
	Map []MapEntry

	// EFI is nil if the running kernel does not use the firmware's runtime
	// services, or cannot hand them on.
	EFI *EFI

	// RSDP is the address of ACPI's root table, or 0: then the next kernel
	// searches for it where a BIOS puts it.
	RSDP Addr

	// EventLog is where the log of the firmware's measurements may lie in
	// memory that the map calls free. It may be empty.
	EventLog Range

	// FiveLevel says that the running kernel uses page tables of 5 levels.
	FiveLevel bool
}

// A MapEntry is a range of the firmware's memory map.
type MapEntry struct {
	Range
	// Type is one of E820 (arch/x86/include/asm/e820/types.h).
	Type uint32
}

// Types of a MapEntry.
const (
	mapRAM      = 1
	mapReserved = 2
)

// mapTypes has the types by the names that the kernel gives them
// (arch/x86/kernel/e820.c). Older kernels write "reserved".
var mapTypes = map[string]uint32{
	"system ram":                 mapRAM,
	"reserved":                   mapReserved,
	"acpi tables":                3,
	"acpi non-volatile storage":  4,
	"unusable memory":            5,
	"persistent memory":          7,
	"persistent memory (legacy)": 12,
	"soft reserved":              0xefffffff,
}

// EFI is what a kernel has to know of a firmware whose runtime services an
// earlier kernel has moved to virtual addresses, which can be done once.
type EFI struct {
	// FWVendor, Tables and SMBIOS are physical addresses: of the vendor's
	// name, of the table of configuration tables, and of SMBIOS or 0.
	FWVendor, Tables, SMBIOS Addr
	// Map has the memory that the services use.
	Map []EFIMapEntry
}

// An EFIMapEntry is efi_memory_desc_t (include/linux/efi.h).
type EFIMapEntry struct {
	Type                                 uint32
	PhysAddr, VirtAddr, Pages, Attribute uint64
}

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
	if p.EventLog, err = readEventLog(s); err != nil {
		return nil, err
	}
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

// readEventLog returns where the EFI stub has put the log of the firmware's
// measurements. Before Linux 6.12 this is memory that the map calls free, which
// only the kernel's log tells.
func readEventLog(s sysfs) (Range, error) {
	const (
		header = 16 // of struct linux_efi_tpm_eventlog, and more
		least  = 64 << 10
		most   = 64 << 20
	)
	if _, err := os.Stat(filepath.Join(string(s), "sys/firmware/efi")); err != nil {
		return Range{}, nil //nolint:nilerr // no EFI
	}
	at := eventLogAddress(s)
	if at == 0 {
		return Range{}, nil
	}
	size := int64(least)
	if f, err := os.Open(filepath.Join(string(s), "sys/kernel/security/tpm0/binary_bios_measurements")); err == nil {
		n, err := io.Copy(io.Discard, io.LimitReader(f, most))
		_ = f.Close()
		if err != nil {
			return Range{}, fmt.Errorf("event log: %w", err)
		}
		size = max(size, n+header)
	}
	return rangeOf(at, Addr(size)), nil
}

// eventLogAddress searches the kernel's log for what efi_config_parse_tables of
// drivers/firmware/efi/efi.c prints. It returns 0 if that is not there, or no
// longer.
func eventLogAddress(s sysfs) Addr {
	// A read of /dev/kmsg returns one record, and waits for the next one
	// behind the last.
	const (
		wait   = 20 * time.Millisecond
		record = 8 << 10
		name   = "TPMEventLog="
	)
	f, err := os.OpenFile(filepath.Join(string(s), "dev/kmsg"), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer f.Close()
	_ = f.SetReadDeadline(time.Now().Add(wait))
	b := make([]byte, record)
	for {
		n, err := f.Read(b)
		if _, rest, ok := strings.Cut(string(b[:n]), name); ok {
			text, _, _ := strings.Cut(rest, " ")
			at, _ := strconv.ParseUint(strings.TrimSpace(text), 0, 64)
			return Addr(at)
		}
		// EPIPE: the next record was overwritten.
		if err != nil && !errors.Is(err, syscall.EPIPE) {
			return 0
		}
	}
}
