// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAMD64MemoryLimit(t *testing.T) {
	const none = 1 << 46
	for _, tt := range []struct {
		cmdline string
		want    Addr
	}{
		{"quiet", none},
		{"mem=1G", 1 << 30},
		{"mem=1G mem=2G", 1 << 30}, // each removes memory
		{"mem=1G mem=512M", 512 << 20},
		{"mem=0x40000001", 1 << 30},
		{"mem=0", none},
		{"mem=nopentium", none},
		{"mem=lots", none},
		{"quiet -- mem=1G", none},
		{"memmap=1G", 1 << 30},
		{"memmap=512M,1G mem=2G", 512 << 20},
		{"memmap=1G@1M", none},
		{"memmap=1G$1M memmap=1G#2G,1G!3G,1G%4G-1", none},
		{"memmap=exactmap", none},
		{"memmap=", none},
		{"memmap=64M,", 64 << 20},
		{`memmap="64M"`, 64 << 20},
	} {
		if got := amd64MemoryLimit(tt.cmdline); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.cmdline, got, tt.want)
		}
	}
}

// TestAMD64Free checks which memory is left for segments.
func TestAMD64Free(t *testing.T) {
	const low, high, end = 1 << 20, 0x10000000, 0x20000000
	for _, tt := range []struct {
		name    string
		edit    func(*Machine)
		cmdline string
		want    Ranges
	}{
		{"all", func(*Machine) {}, "quiet", Ranges{{low, end}}},
		{"running kernel's mem=", func(m *Machine) { m.RAM = Ranges{{0, high}} }, "", Ranges{{low, high}}},
		{"not in the firmware's map", func(m *Machine) { m.RAM = Ranges{{0, 4 << 30}} }, "", Ranges{{low, end}}},
		{"overlapping entries", func(m *Machine) {
			m.PC.Map = append(m.PC.Map, MapEntry{Range{high, high + 1}, 20})
		}, "", Ranges{{low, high}, {high + 1, end}}},
		{"crash kernel", func(m *Machine) { m.CrashKernel = Ranges{{high, end}} }, "", Ranges{{low, high}}},
		{"event log", func(m *Machine) { m.PC.EventLog = Range{high, high + 0x10000} }, "", Ranges{{low, high}, {high + 0x10000, end}}},
		{"EFI's memory", func(m *Machine) {
			m.PC.EFI = &EFI{Map: []EFIMapEntry{{Type: 4, PhysAddr: high, Pages: 16}, {Type: 5, PhysAddr: end - 0x1000, Pages: math.MaxUint64}}}
		}, "", Ranges{{low, high}, {high + 0x10000, end - 0x1000}}},
		{"next crash kernel", func(*Machine) {}, "crashkernel=64M@0x10000000", Ranges{{low, high}, {high + 64<<20, end}}},
		{"next crash kernel anywhere", func(*Machine) {}, "crashkernel=64M", Ranges{{low, end}}},
		{"crash kernel by memory", func(*Machine) {}, "crashkernel=64M-2G:64M,2G-:128M@256M", Ranges{{low, high}, {high + 64<<20, end}}},
		{"crash kernel below mem=", func(*Machine) {}, "crashkernel=256M-400M:64M@256M mem=384M", Ranges{{low, high}, {high + 64<<20, end}}},
		{"crash kernel of larger machines", func(*Machine) {}, "crashkernel=1G-2G:64M,2G-:128M@256M", Ranges{{low, end}}},
		{"memmap=$", func(*Machine) {}, "memmap=64M$0x10000000", Ranges{{low, high}, {high + 64<<20, end}}},
		{"memmap=# and !", func(*Machine) {}, "memmap=4096#0x10000001,4K!0x10004000", Ranges{{low, high}, {high + 0x2000, high + 0x4000}, {high + 0x5000, end}}},
		{"memmap=%", func(*Machine) {}, "memmap=1M%0x10000000-1+2", Ranges{{low, high}, {high + 1<<20, end}}},
		{"memmap=@ adds", func(*Machine) {}, "memmap=1G@2G", Ranges{{low, end}}},
		{"exactmap", func(*Machine) {}, "memmap=exactmap,640K@0 memmap=16M@1M,64M@0x10000000", Ranges{{low, low + 16<<20}, {high, high + 64<<20}}},
		{"exactmap twice", func(*Machine) {}, "memmap=16M@1M,exactmap,64M@0x10000000", Ranges{{high, high + 64<<20}}},
		{"a range to the end", func(*Machine) {}, "memmap=0xffffffffffffffff$0x10000000", Ranges{{low, high}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &Machine{RAM: Ranges{{0, end}}, PC: &PC{Map: []MapEntry{{Range{0, end}, mapRAM}, {Range{end, end + low}, mapReserved}}}}
			tt.edit(m)
			mem, err := readAMD64Memory(m, tt.cmdline)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, newPlacer(mem, amd64Page).free); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAMD64NoKASLR(t *testing.T) {
	for line, want := range map[string]bool{
		"quiet nokaslr": true, "nokaslr": true, "quiet -- nokaslr": true, "nokaslr=1": false, "nokaslrx": false, "": false, "x=nokaslr": false, "quiet\u00a0nokaslr": false, "quiet\xa0nokaslr": false, "quiet\vnokaslr": true,
	} {
		if got := amd64NoKASLR(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

// TestAMD64Above4G loads a kernel and its list into a machine whose low memory is
// taken: the fields for addresses have two halves.
func TestAMD64Above4G(t *testing.T) {
	m := amd64EFI()
	m.RAM = Ranges{{4 << 30, 6 << 30}}
	p, err := amd64{}.Plan(m, amd64TestTarget(t), testList())
	if err != nil {
		t.Fatal(err)
	}
	checkPlaced(t, p)
	r := receiveAMD64(t, p)
	if s := needSegment(t, p, SegmentInitrd); s.Start < 4<<30 || r.initrd != rangeOf(s.Start, Addr(len(s.Data))) {
		t.Errorf("initrd %v, segment %v", r.initrd, s.Range)
	}
}
