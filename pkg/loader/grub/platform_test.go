// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"testing"

	"github.com/imaboot/imaboot/pkg/entry"
)

// TestPlatform executes what distributions ask on other architectures than
// this one.
func TestPlatform(t *testing.T) {
	const script = `if [ "$grub_platform" = "efi" ]; then
	fwsetup --is-supported
	if [ "$?" = 0 ]; then
		menuentry 'UEFI Firmware Settings' --id uefi-firmware { fwsetup; }
	fi
fi
menuentry Linux { linux /k "$grub_platform/$grub_cpu"; }
`
	v := open(t, "sda1", "", "", empty("k"))
	for arch, test := range map[string]struct {
		want     string
		firmware bool
	}{
		"amd64":   {"efi/x86_64", true},
		"arm64":   {"efi/arm64", true},
		"riscv64": {"efi/riscv64", true},
		"s390x":   {"emu/s390x", false},
		"ppc64le": {"ieee1275/powerpc", false},
		"mips":    {"/", false},
	} {
		in := newInterpreter(v, nil, entry.File{Volume: v, Name: "/grub/grub.cfg"}, arch)
		in.finish(in.runText("sda1:/grub/grub.cfg", script))
		c := in.config
		if len(c.Entries) != 1 || c.Entries[0].Cmdline != test.want {
			t.Errorf("%s: %q", arch, lines(c))
		}
		if elsewhere := c.Default == entry.Elsewhere; elsewhere != test.firmware {
			t.Errorf("%s: %d %q", arch, c.Default, c.Notes)
		}
	}
}
