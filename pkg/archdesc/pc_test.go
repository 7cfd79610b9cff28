// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

// pcFiles returns the files of a machine with EFI.
func pcFiles() map[string]string {
	files := map[string]string{
		"proc/cmdline": "root=/dev/vda2\n",
		"proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu la57 vme\n",
		"proc/iomem": "00000000-00000fff : Reserved\n00001000-0009ffff : System RAM\n" +
			"00100000-3fffffff : System RAM\n  02000000-02ffffff : Kernel code\n  03000000-03000fff : Reserved\n" +
			"40000000-4fffffff : ACPI Non-volatile Storage\n50000000-5fffffff : PCI Bus 0000:00\n60000000-6000ffff : Persistent Memory (legacy)\n",
		"sys/kernel/boot_params/data": string(make([]byte, amd64ParamsSize)),
		"sys/firmware/efi/systab":     "ACPI20=0x7f77e014\nACPI=0x7f77e000\nSMBIOS3=0x7f5e0000\nSMBIOS=0x7f000000\n",
		"sys/firmware/efi/fw_vendor":  "0x7f5ec018\n", "sys/firmware/efi/config_table": "0x7f5ed018\n",
		"sys/kernel/security/tpm0/binary_bios_measurements": strings.Repeat("log", 30000),
		"dev/kmsg": "6,1,0,-;Linux version 6.1\n6,2,0,-;efi: ACPI=0x7f77e000 TPMEventLog=0x7ce00018 MEMATTR=0x7e1\n",
	}
	for name, text := range map[string]string{
		"0": "0x0 0x9ffff System RAM", "1": "0x100000 0x7fffff System RAM", "2": "0x800000 0x807fff ACPI Non-volatile Storage",
		"10": "0x100000000 0x17fffffff Soft Reserved", "9": "0xff0000000 0xff0000fff Unknown E820 type",
	} {
		start, rest, _ := strings.Cut(text, " ")
		end, kind, _ := strings.Cut(rest, " ")
		for file, value := range map[string]string{"start": start, "end": end, "type": kind} {
			files["sys/firmware/memmap/"+name+"/"+file] = value + "\n"
		}
	}
	for name, fields := range map[string][]string{"0": {"0xb", "0xffc00000"}, "1": {"5", "0x7f5ec000"}, "10": {"6", "0x7ea89000"}} {
		dir := "sys/firmware/efi/runtime-map/" + name + "/"
		files[dir+"type"], files[dir+"phys_addr"] = fields[0], fields[1]
		files[dir+"virt_addr"], files[dir+"num_pages"], files[dir+"attribute"] = "0xfffffffeff1ec000", "0x100", "0x800000000000000f"
	}
	return files
}

func TestReadMachineAMD64(t *testing.T) {
	entry := func(kind uint32, phys uint64) EFIMapEntry {
		return EFIMapEntry{kind, phys, 0xfffffffeff1ec000, 0x100, 0x800000000000000f}
	}
	want := &PC{
		BootParams: make([]byte, amd64ParamsSize),
		Map: []MapEntry{
			{Range{0, 0xa0000}, 1}, {Range{1 << 20, 8 << 20}, 1}, {Range{8 << 20, 0x808000}, 4},
			{Range{4 << 30, 6 << 30}, 0xefffffff}, {Range{0xff0000000, 0xff0001000}, 2},
		},
		EFI: &EFI{FWVendor: 0x7f5ec018, Tables: 0x7f5ed018, SMBIOS: 0x7f000000,
			Map: []EFIMapEntry{entry(11, 0xffc00000), entry(5, 0x7f5ec000), entry(6, 0x7ea89000)}},
		RSDP: 0x7f77e014, EventLog: rangeOf(0x7ce00018, 90016), FiveLevel: true,
	}
	for _, tt := range []struct {
		name string
		edit func(map[string]string)
		want func(*PC)
	}{
		{"all", func(map[string]string) {}, func(*PC) {}},
		{"boot_params in debugfs", func(f map[string]string) {
			f["sys/kernel/debug/boot_params/data"] = f["sys/kernel/boot_params/data"]
			delete(f, "sys/kernel/boot_params/data")
		}, func(*PC) {}},
		{"RSDP in boot_params", func(f map[string]string) {
			b := make([]byte, amd64ParamsSize)
			binary.LittleEndian.PutUint64(b[amd64ParamRSDP:], 0xf5a0)
			f["sys/kernel/boot_params/data"] = string(b)
		}, func(p *PC) {
			p.RSDP = 0xf5a0
			binary.LittleEndian.PutUint64(p.BootParams[amd64ParamRSDP:], 0xf5a0)
		}},
		{"ACPI 1.0", func(f map[string]string) { f["sys/firmware/efi/systab"] = "ACPI=0x7f77e000\n" }, func(p *PC) {
			p.RSDP, p.EFI.SMBIOS = 0x7f77e000, 0
		}},
		{"no runtime services", func(f map[string]string) {
			for name := range f {
				if strings.Contains(name, "runtime-map") {
					delete(f, name)
				}
			}
		}, func(p *PC) { p.EFI = nil }},
		{"no config_table", func(f map[string]string) { delete(f, "sys/firmware/efi/config_table") }, func(p *PC) { p.EFI = nil }},
		{"BIOS", func(f map[string]string) {
			for name := range f {
				if strings.HasPrefix(name, "sys/firmware/efi") {
					delete(f, name)
				}
			}
		}, func(p *PC) { p.EFI, p.RSDP, p.EventLog = nil, 0, Range{} }},
		{"short log", func(f map[string]string) { delete(f, "sys/kernel/security/tpm0/binary_bios_measurements") }, func(p *PC) {
			p.EventLog = rangeOf(0x7ce00018, 64<<10)
		}},
		{"log not told", func(f map[string]string) { f["dev/kmsg"] = "6,2,0,-;efi: ACPI=0x7f77e000\n" }, func(p *PC) { p.EventLog = Range{} }},
		{"no kernel log", func(f map[string]string) { delete(f, "dev/kmsg") }, func(p *PC) { p.EventLog = Range{} }},
		{"4 levels", func(f map[string]string) { delete(f, "proc/cpuinfo") }, func(p *PC) { p.FiveLevel = false }},
		{"map of iomem", func(f map[string]string) {
			for name := range f {
				if strings.HasPrefix(name, "sys/firmware/memmap") {
					delete(f, name)
				}
			}
		}, func(p *PC) {
			p.Map = []MapEntry{
				{Range{0, 0x1000}, 2}, {Range{0x1000, 0xa0000}, 1}, {Range{1 << 20, 1 << 30}, 1},
				{Range{1 << 30, 0x50000000}, 4}, {Range{0x60000000, 0x60010000}, 12},
			}
		}},
		{"Xen with its own kexec", func(f map[string]string) {
			f["sys/hypervisor/type"], f["sys/hypervisor/guest_type"] = "xen\n", "HVM\n"
		}, func(*PC) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files, w := pcFiles(), *want
			efi := *want.EFI
			w.EFI, w.BootParams = &efi, make([]byte, amd64ParamsSize)
			tt.edit(files)
			tt.want(&w)
			m, err := ReadMachine(fileroot.New(t, files), "amd64", 4096)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&w, m.PC); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadMachineAMD64Bad(t *testing.T) {
	for _, tt := range []struct{ name, file, content, want string }{
		{"no boot_params", "sys/kernel/boot_params/data", "", "boot_params has 0 bytes instead of 4096"},
		{"no number", "sys/firmware/memmap/1/start", "low\n", "sys/firmware/memmap/1/start"},
		{"backwards", "sys/firmware/memmap/1/end", "0xfffff\n", "/sys/firmware/memmap/1 is from 0x100000 to 0xfffff"},
		{"end of all memory", "sys/firmware/memmap/1/end", "0xffffffffffffffff\n", "/sys/firmware/memmap/1 is from"},
		{"type of the runtime map", "sys/firmware/efi/runtime-map/1/type", "data\n", "runtime-map/1/type"},
		{"config_table", "sys/firmware/efi/config_table", "none\n", "config_table"},
		{"systab", "sys/firmware/efi/systab", "ACPI\n", "/sys/firmware/efi/systab"},
		{"Xen", "sys/hypervisor/type", "xen\n", "in a PV guest of Xen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := pcFiles()
			files[tt.file] = tt.content
			_, err := ReadMachine(fileroot.New(t, files), "amd64", 4096)
			if !errors.Is(err, ErrMachine) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %v with %q", err, ErrMachine, tt.want)
			}
		})
	}
	files := pcFiles()
	delete(files, "sys/kernel/boot_params/data")
	if _, err := ReadMachine(fileroot.New(t, files), "amd64", 4096); !errors.Is(err, ErrMachine) || !strings.Contains(err.Error(), "neither /sys/kernel/boot_params/data nor debugfs") {
		t.Errorf("without boot_params: %v", err)
	}
	// What another architecture does not need is not read.
	if m, err := ReadMachine(fileroot.New(t, files), "ppc64le", 4096); err != nil || m.PC != nil {
		t.Errorf("on ppc64le: %v", err)
	}
}
