// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

// s390xFiles returns the files of a machine with standby memory, where the kernel
// lists a block that is offline.
func s390xFiles() map[string]string {
	const memory = "sys/devices/system/memory/"
	return map[string]string{
		"proc/cmdline":                          "root=/dev/dasda1\n",
		"proc/iomem":                            "00000000-3fffffff : System RAM\n  00100000-00ae0fff : Kernel code\n",
		memory + "block_size_bytes":             "10000000\n",
		memory + "memory0/state":                "online\n",
		memory + "memory2/state":                "offline\n",
		memory + "memory9/state":                "going-offline\n",
		"sys/firmware/ipl/binary_parameter":     "\x00\x00\x00\x80\x60\x00\x00\x01",
		"sys/devices/system/cpu/cpu0/unrelated": "",
	}
}

func TestReadMachineS390X(t *testing.T) {
	m, err := ReadMachine(fileroot.New(t, s390xFiles()), "s390x", 4096)
	if err != nil {
		t.Fatal(err)
	}
	want := &Machine{
		Arch: "s390x", PageSize: 4096, Cmdline: "root=/dev/dasda1",
		RAM: Ranges{{0, 0x20000000}, {0x30000000, 0x40000000}}, IPLReport: true,
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}

func TestReadMachineBad(t *testing.T) {
	for _, tt := range []struct{ name, file, content, want string }{
		{"no number", "sys/devices/system/memory/block_size_bytes", "many\n", "block_size_bytes"},
		{"block beyond the address space", "sys/devices/system/memory/memory99999999999999/state", "offline\n", "no number of a memory block"},
		{"hidden addresses", "proc/iomem", "00000000-00000000 : System RAM\n", "CAP_SYS_ADMIN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := s390xFiles()
			files[tt.file] = tt.content
			_, err := ReadMachine(fileroot.New(t, files), "s390x", 4096)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
