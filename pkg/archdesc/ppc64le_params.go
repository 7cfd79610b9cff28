// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

// ppc64leCommandLineSize is COMMAND_LINE_SIZE of
// arch/powerpc/include/asm/setup.h, in bytes with the NUL.
const ppc64leCommandLineSize = 2048

// ppc64leDrop lists the properties of /chosen that only this architecture has
// to remove. The next kernel sets those of the first line itself; kernels
// write the others big-endian and read them in their own byte order.
var ppc64leDrop = []string{
	"linux,kernel-end", "linux,htab-base", "linux,htab-size",
	"linux,crashkernel-base", "linux,crashkernel-size", "linux,memory-limit",
}

// newPPC64LEParams builds the next kernel's device tree.
func newPPC64LEParams(m *Machine, t *Target, mem *ppc64leMemory) (*fdtParams, error) {
	p, err := newFDTParams(m, t, ppc64leDrop...)
	if err != nil {
		return nil, err
	}
	// The first limits the memory of a crash kernel. The next kernel numbers
	// PCI domains itself.
	p.removeEverywhere("linux,drconf-usable-memory", "linux,pci-domain")
	p.reserve(mem.firmware...)
	return p, nil
}
