// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/u-root/u-root/pkg/dt"
)

// ppc64leDrop are the properties of /chosen that tell of the running kernel and
// would mislead the next: they are set anew here or by the next kernel
// itself, belong to a crash kernel, or are written big-endian and read native
// (linux,crashkernel-*, linux,memory-limit).
var ppc64leDrop = []string{
	"bootargs",
	"linux,initrd-start", "linux,initrd-end",
	listProperty,
	"linux,kernel-end", "linux,htab-base", "linux,htab-size",
	"linux,crashkernel-base", "linux,crashkernel-size", "linux,memory-limit",
	"linux,elfcorehdr", "linux,usable-memory-range", "linux,dmcryptkeys",
	"linux,kho-fdt", "linux,kho-scratch",
	"rng-seed", "kaslr-seed",
	"linux,booted-from-kexec",
}

// ppc64leTree is the next kernel's device tree in the making.
type ppc64leTree struct {
	fdt    dt.FDT
	chosen *dt.Node
}

func newPPC64LETree(m *Machine, t *Target, mem *ppc64leMemory) (*ppc64leTree, error) {
	tree := &ppc64leTree{fdt: dt.FDT{Header: dt.Header{
		Magic: uint32(dt.Magic), Version: 17, LastCompVersion: 16,
		BootCpuidPhys: m.BootCPU,
	}}}
	root := m.Tree
	if t.Tree != nil {
		root = t.Tree.RootNode
		tree.keepReservations(t.Tree)
	}
	// The receiver reads the list's address in the root's cells.
	if address, size, err := cells(root); err != nil || address != 2 || size != 2 {
		return nil, fmt.Errorf("%w: the root needs two address and two size cells", ErrBadTree)
	}
	root = cloneTree(root)
	tree.fdt.RootNode = root
	if tree.chosen = child(root, "chosen"); tree.chosen == nil {
		tree.chosen = dt.NewNode("chosen")
		root.Children = append(root.Children, tree.chosen)
	}
	for _, name := range ppc64leDrop {
		tree.chosen.RemoveProperty(name)
	}
	// Memory limits are for crash kernels; domains are counted anew.
	_ = root.Walk(func(n *dt.Node) error {
		for _, name := range []string{"linux,usable-memory", "linux,drconf-usable-memory", "linux,pci-domain"} {
			n.RemoveProperty(name)
		}
		return nil
	})
	tree.chosen.Update(dt.PropertyString("bootargs", t.Cmdline))
	tree.chosen.Update(dt.Property{Name: "linux,booted-from-kexec"})
	if len(t.RNGSeed) > 0 {
		tree.chosen.Update(dt.Property{Name: "rng-seed", Value: t.RNGSeed})
	}
	for _, r := range mem.firmware {
		tree.reserve(r)
	}
	return tree, nil
}

// keepReservations takes those of a tree that the user named, but for the
// initrd and list of whoever made it.
func (tree *ppc64leTree) keepReservations(from *dt.FDT) {
	chosen := child(from.RootNode, "chosen")
	list, _ := property(chosen, listProperty)
	start, _ := number(chosen, "linux,initrd-start")
	end, _ := number(chosen, "linux,initrd-end")
	for _, e := range from.ReserveEntries {
		value := dt.PropertyRegion("", e.Address, e.Size).Value
		if bytes.Equal(value, list) || (Addr(e.Address) == start && Addr(e.Size) == end-start) {
			continue
		}
		tree.reserve(rangeOf(Addr(e.Address), Addr(e.Size)))
	}
}

func (tree *ppc64leTree) reserve(r Range) {
	e := dt.ReserveEntry{Address: uint64(r.Start), Size: uint64(r.Size())}
	if !slices.Contains(tree.fdt.ReserveEntries, e) {
		tree.fdt.ReserveEntries = append(tree.fdt.ReserveEntries, e)
	}
}

// setInitrd names the initrd, to the byte: the next kernel frees what it says.
func (tree *ppc64leTree) setInitrd(r Range) {
	tree.chosen.Update(dt.PropertyU64("linux,initrd-start", uint64(r.Start)))
	tree.chosen.Update(dt.PropertyU64("linux,initrd-end", uint64(r.End)))
	tree.reserve(r)
}

// setList names the list's segment. The reservation is the only thing that
// keeps the memory until IMA reads it, and must be equal to the property for a
// later kernel to find and drop it (drivers/of/kexec.c).
func (tree *ppc64leTree) setList(r Range) {
	tree.chosen.Update(dt.PropertyRegion(listProperty, uint64(r.Start), uint64(r.Size())))
	tree.reserve(r)
}

// size is an upper bound in bytes for the blob, whatever is set later.
func (tree *ppc64leTree) size() int {
	const later = 1 << 12
	n := later
	_ = tree.fdt.RootNode.Walk(func(node *dt.Node) error {
		n += 16 + len(node.Name)
		for _, p := range node.Properties {
			n += 20 + len(p.Name) + len(p.Value)
		}
		return nil
	})
	return n + 16*len(tree.fdt.ReserveEntries)
}

// blob is the flattened tree, for the segment that it will lie in.
func (tree *ppc64leTree) blob(at Range) ([]byte, error) {
	tree.reserve(at)

	var b bytes.Buffer
	b.Grow(tree.size())
	if _, err := tree.fdt.Write(&b); err != nil {
		return nil, fmt.Errorf("device tree: %w", err)
	}
	return b.Bytes(), nil
}
