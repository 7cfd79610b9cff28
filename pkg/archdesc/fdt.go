// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/dt"
)

// fdtListProperty is the property of /chosen that names the list's buffer
// (drivers/of/kexec.c). The text is compiled into exactly those kernels that
// can restore a list.
const fdtListProperty = "linux,ima-kexec-buffer"

// fdtDrop lists the properties of /chosen that describe the running kernel and
// would mislead the next one, on every architecture: this package or the next
// kernel sets them again, or they belong to a crash kernel.
var fdtDrop = []string{
	"bootargs",
	"linux,initrd-start", "linux,initrd-end",
	fdtListProperty,
	"linux,elfcorehdr", "linux,usable-memory-range", "linux,dmcryptkeys",
	"linux,kho-fdt", "linux,kho-scratch",
	"rng-seed", "kaslr-seed",
	"linux,booted-from-kexec",
}

// fdtParams is the device tree of the next kernel while it is being built. It
// implements bootParams.
type fdtParams struct {
	fdt    dt.FDT
	chosen *dt.Node
}

// newFDTParams copies the machine's live tree, or the target's own if it has
// one, and replaces what describes the running kernel. The machine's tree does
// not change. drop names more properties of /chosen to remove.
func newFDTParams(m *Machine, t *Target, drop ...string) (*fdtParams, error) {
	p := &fdtParams{fdt: dt.FDT{Header: dt.Header{
		Magic: uint32(dt.Magic), Version: 17, LastCompVersion: 16,
		BootCpuidPhys: m.BootCPU,
	}}}
	root := m.Tree
	if t.Tree != nil {
		root = t.Tree.RootNode
		p.keepReservations(t.Tree)
	}
	// The next kernel reads the list's address in the root's cells.
	if address, size, err := cells(root); err != nil || address != 2 || size != 2 {
		return nil, fmt.Errorf("%w: the root needs two address and two size cells", ErrBadTree)
	}
	root = cloneTree(root)
	p.fdt.RootNode = root
	if p.chosen = child(root, "chosen"); p.chosen == nil {
		p.chosen = dt.NewNode("chosen")
		root.Children = append(root.Children, p.chosen)
	}
	removeProperties(p.chosen, append(drop, fdtDrop...)...)
	// This property limits the memory of a crash kernel.
	p.removeEverywhere("linux,usable-memory")

	p.chosen.Update(dt.PropertyString("bootargs", t.Cmdline))
	p.chosen.Update(dt.Property{Name: "linux,booted-from-kexec"})
	if len(t.RNGSeed) > 0 {
		p.chosen.Update(dt.Property{Name: "rng-seed", Value: t.RNGSeed})
	}
	return p, nil
}

// removeProperties keeps the order of the others, unlike u-root's
// RemoveProperty.
func removeProperties(n *dt.Node, names ...string) {
	n.Properties = slices.DeleteFunc(n.Properties, func(p dt.Property) bool { return slices.Contains(names, p.Name) })
}

// removeEverywhere removes properties from every node.
func (p *fdtParams) removeEverywhere(names ...string) {
	_ = p.fdt.RootNode.Walk(func(n *dt.Node) error {
		removeProperties(n, names...)
		return nil
	})
}

// keepReservations copies the reservation map of a tree that the user named,
// without the entries for the initrd and the list of the tree's author.
func (p *fdtParams) keepReservations(from *dt.FDT) {
	chosen := child(from.RootNode, "chosen")
	list, _ := property(chosen, fdtListProperty)
	start, _ := number(chosen, "linux,initrd-start")
	end, _ := number(chosen, "linux,initrd-end")
	for _, e := range from.ReserveEntries {
		value := dt.PropertyRegion("", e.Address, e.Size).Value
		if bytes.Equal(value, list) || (Addr(e.Address) == start && Addr(e.Size) == end-start) {
			continue
		}
		p.reserve(rangeOf(Addr(e.Address), Addr(e.Size)))
	}
}

// reserve adds ranges to the reservation map.
func (p *fdtParams) reserve(rs ...Range) {
	for _, r := range rs {
		e := dt.ReserveEntry{Address: uint64(r.Start), Size: uint64(r.Size())}
		if !slices.Contains(p.fdt.ReserveEntries, e) {
			p.fdt.ReserveEntries = append(p.fdt.ReserveEntries, e)
		}
	}
}

// setInitrd implements bootParams. The next kernel frees exactly this range.
func (p *fdtParams) setInitrd(r Range) string {
	p.chosen.Update(dt.PropertyU64("linux,initrd-start", uint64(r.Start)))
	p.chosen.Update(dt.PropertyU64("linux,initrd-end", uint64(r.End)))
	p.reserve(r)
	return "FDT /chosen/linux,initrd-start"
}

// setList implements bootParams. Only the reservation protects the memory
// until IMA reads it. It must equal the property: a later kernel finds the
// reservation by these numbers when it drops the list (drivers/of/kexec.c).
func (p *fdtParams) setList(r Range) string {
	p.chosen.Update(dt.PropertyRegion(fdtListProperty, uint64(r.Start), uint64(r.Size())))
	p.reserve(r)
	return "FDT /chosen/" + fdtListProperty
}

// size returns an upper bound for the blob in bytes, with room for everything
// that is set later.
func (p *fdtParams) size() Addr {
	const later = 1 << 12
	n := later
	_ = p.fdt.RootNode.Walk(func(node *dt.Node) error {
		n += 16 + len(node.Name)
		for _, property := range node.Properties {
			n += 20 + len(property.Name) + len(property.Value)
		}
		return nil
	})
	return Addr(n + 16*len(p.fdt.ReserveEntries))
}

// blob flattens the tree.
func (p *fdtParams) blob() ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(p.size()))
	if _, err := p.fdt.Write(&b); err != nil {
		return nil, fmt.Errorf("device tree: %w", err)
	}
	return b.Bytes(), nil
}

// fdtMemory returns all ranges of the nodes memory and memory@….
func fdtMemory(root *dt.Node) ([]Range, error) {
	address, size, err := cells(root)
	if err != nil {
		return nil, err
	}
	var out []Range
	for _, n := range root.Children {
		if n.Name != "memory" && !strings.HasPrefix(n.Name, "memory@") {
			continue
		}
		v, _ := property(n, "reg")
		rs, err := regions(v, address, size)
		if err != nil {
			return nil, fmt.Errorf("/%s: %w", n.Name, err)
		}
		out = append(out, rs...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no memory in it", ErrBadTree)
	}
	return out, nil
}

// fdtReserved returns the children of /reserved-memory that have an address.
func fdtReserved(root *dt.Node) ([]Region, error) {
	rm := child(root, "reserved-memory")
	if rm == nil {
		return nil, nil
	}
	address, size, err := cells(rm)
	if err != nil {
		return nil, err
	}
	var out []Region
	for _, c := range rm.Children {
		v, ok := property(c, "reg")
		if !ok {
			continue
		}
		rs, err := regions(v, address, size)
		if err != nil {
			return nil, fmt.Errorf("/reserved-memory/%s: %w", c.Name, err)
		}
		for _, r := range rs {
			out = append(out, Region{r, "reserved-memory/" + c.Name})
		}
	}
	return out, nil
}
