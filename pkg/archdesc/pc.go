// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import "github.com/imaboot/imaboot/pkg/refusal"

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
