// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
)

// elfKernel holds the parts of an ELF kernel that are loaded into memory.
type elfKernel struct {
	start Addr      // physical address of the first load
	loads []elfLoad // sorted by paddr, the first at 0
	size  Addr      // from the first byte to the end of the last
}

type elfLoad struct {
	offset Addr // from the first load's physical address
	size   Addr // in memory
	data   []byte
}

// parseELF reads an executable for the given machine. It checks all offsets and
// sizes against the image, and copies nothing. Errors wrap ErrNotKernel.
func parseELF(image []byte, machine elf.Machine, order binary.ByteOrder) (*elfKernel, error) {
	if len(image) < 64 || !bytes.HasPrefix(image, []byte(elf.ELFMAG)) {
		return nil, fmt.Errorf("%w: no ELF file (first bytes % x)", ErrNotKernel, image[:min(4, len(image))])
	}
	f, err := elfHeader(image)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotKernel, err)
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != machine || f.ByteOrder != order {
		return nil, fmt.Errorf("%w: a %v %v ELF file for %v, not a 64-bit %v one for %v",
			ErrNotKernel, f.Class, f.ByteOrder, f.Machine, order, machine)
	}
	if f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return nil, fmt.Errorf("%w: ELF type %v cannot be executed", ErrNotKernel, f.Type)
	}
	progs, err := elfPrograms(image, order)
	if err != nil {
		return nil, err
	}
	k := &elfKernel{}
	slices.SortStableFunc(progs, func(a, b elf.Prog64) int { return cmp.Compare(a.Paddr, b.Paddr) })
	for _, p := range progs {
		if elf.ProgType(p.Type) == elf.PT_INTERP {
			return nil, fmt.Errorf("%w: a program that needs an interpreter", ErrNotKernel)
		}
		if elf.ProgType(p.Type) != elf.PT_LOAD || p.Memsz == 0 {
			continue
		}
		if p.Filesz > p.Memsz || p.Off > uint64(len(image)) || p.Filesz > uint64(len(image))-p.Off {
			return nil, fmt.Errorf("%w: cut short: segment at offset %#x has %#x bytes, the file only %#x",
				ErrNotKernel, p.Off, p.Filesz, len(image))
		}
		if p.Paddr+p.Memsz < p.Paddr {
			return nil, fmt.Errorf("%w: segment at %#x of %#x bytes wraps", ErrNotKernel, p.Paddr, p.Memsz)
		}
		if len(k.loads) == 0 {
			k.start = Addr(p.Paddr)
		}
		offset := Addr(p.Paddr) - k.start
		if offset < k.size {
			return nil, fmt.Errorf("%w: segments overlap at %#x", ErrNotKernel, p.Paddr)
		}
		k.loads = append(k.loads, elfLoad{offset, Addr(p.Memsz), image[p.Off : p.Off+p.Filesz]})
		k.size = offset + Addr(p.Memsz)
	}
	if len(k.loads) == 0 {
		return nil, fmt.Errorf("%w: nothing to load in it", ErrNotKernel)
	}
	return k, nil
}

// elfHeader reads what a file's header says about the whole file. debug/elf would
// also read all sections, which loading does not need: it would allocate as much
// memory as a hostile file's header says.
func elfHeader(image []byte) (*elf.File, error) {
	const size, tables = 64, 28 // offsets, sizes and numbers of tables, in either class
	head := bytes.Clone(image[:size])
	clear(head[tables:])
	return elf.NewFile(bytes.NewReader(head))
}

// elfPrograms reads the program headers of a 64-bit file.
func elfPrograms(image []byte, order binary.ByteOrder) ([]elf.Prog64, error) {
	var h elf.Header64
	if _, err := binary.Decode(image, order, &h); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotKernel, err)
	}
	size := uint64(binary.Size(elf.Prog64{}))
	if h.Phnum > 0 && uint64(h.Phentsize) != size {
		return nil, fmt.Errorf("%w: program headers of %d bytes, not %d", ErrNotKernel, h.Phentsize, size)
	}
	all, n := uint64(len(image)), uint64(h.Phnum)*size
	if h.Phoff > all || n > all-h.Phoff {
		return nil, fmt.Errorf("%w: cut short: program headers at offset %#x, the file has only %#x bytes", ErrNotKernel, h.Phoff, all)
	}
	progs := make([]elf.Prog64, h.Phnum)
	_, err := binary.Decode(image[h.Phoff:h.Phoff+n], order, progs)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotKernel, err)
	}
	return progs, nil
}
