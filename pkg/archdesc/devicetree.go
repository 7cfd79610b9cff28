// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/dt"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrBadTree means that no kernel could use the device tree.
var ErrBadTree = refusal.New(refusal.BadDeviceTree, "bad device tree")

// maxTreeDepth limits recursion. Real trees have about ten levels.
const maxTreeDepth = 64

// ReadTree reads a live device tree as the kernel shows it in
// /proc/device-tree: a directory is a node, and a file is a property with its
// raw bytes. It follows no links below dir, and leaves out the property "name",
// which the kernel creates itself. u-root's pkg/dt reads only blobs.
func ReadTree(dir string) (*dt.Node, error) {
	// On a running system, dir itself is a link.
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("device tree: %w", err)
	}
	return readNode(dir, "", 0)
}

func readNode(dir, name string, depth int) (*dt.Node, error) {
	if depth > maxTreeDepth {
		return nil, fmt.Errorf("%w: %s is more than %d levels deep", ErrBadTree, dir, maxTreeDepth)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("device tree: %w", err)
	}
	n := dt.NewNode(name)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
			child, err := readNode(path, e.Name(), depth+1)
			if err != nil {
				return nil, err
			}
			n.Children = append(n.Children, child)
		case e.Type().IsRegular() && e.Name() != "name":
			value, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue // unplugged in the meantime
			}
			if err != nil {
				return nil, fmt.Errorf("device tree: %w", err)
			}
			n.Properties = append(n.Properties, dt.Property{Name: e.Name(), Value: value})
		}
	}
	slices.SortStableFunc(n.Children, func(a, b *dt.Node) int { return compareNodes(a.Name, b.Name) })
	return n, nil
}

// compareNodes sorts siblings by name, and those with the same name by the value
// of their unit address, so that memory@0 comes first.
func compareNodes(a, b string) int {
	nameA, unitA, _ := strings.Cut(a, "@")
	nameB, unitB, _ := strings.Cut(b, "@")
	return cmp.Or(
		cmp.Compare(nameA, nameB),
		cmp.Compare(len(unitA), len(unitB)),
		cmp.Compare(unitA, unitB),
	)
}

// ParseTree reads a flattened device tree (Devicetree Specification 0.4, 5). It
// checks every length first, because u-root's pkg/dt allocates whatever size a
// property claims to have. Errors wrap ErrBadTree.
func ParseTree(blob []byte) (*dt.FDT, error) {
	if err := checkFDT(blob); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadTree, err)
	}
	tree, err := dt.ReadFDT(bytes.NewReader(blob))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadTree, err)
	}
	return tree, nil
}

// Tokens of the structure block (Devicetree Specification 0.4, 5.4.1).
const (
	fdtBeginNode = 1
	fdtEndNode   = 2
	fdtProp      = 3
	fdtNop       = 4
	fdtEnd       = 9
)

// checkFDT checks the header, and that all blocks and properties lie inside the
// blob.
func checkFDT(blob []byte) error {
	const headerSize = 40
	if len(blob) < headerSize {
		return fmt.Errorf("%d bytes are too few for a header", len(blob))
	}
	field := func(off int) uint64 { return uint64(binary.BigEndian.Uint32(blob[off:])) }
	if magic := field(0); magic != uint64(dt.Magic) {
		return fmt.Errorf("offset 0: magic is %#x, not %#x", magic, dt.Magic)
	}
	total, version := field(4), field(20)
	if total > uint64(len(blob)) {
		return fmt.Errorf("offset 4: size is %d, but only %d bytes are there", total, len(blob))
	}
	if version < 17 {
		return fmt.Errorf("offset 20: version is %d, 17 is needed", version)
	}
	for _, b := range []struct {
		name      string
		off, size uint64
	}{
		{"structure", field(8), field(36)},
		{"strings", field(12), field(32)},
		{"reservation", field(16), 16},
	} {
		if b.off < headerSize || b.off+b.size > total {
			return fmt.Errorf("%s block [%#x, %#x) lies outside the %#x bytes", b.name, b.off, b.off+b.size, total)
		}
	}
	return checkStructure(blob, field(8), field(8)+field(36), blob[field(12):field(12)+field(32)])
}

// maxTreeName bounds a name in bytes. Those of nodes and properties have some ten.
// The library copies a property's name each time it is used, and a node's name for
// each of its bytes.
const maxTreeName = 255

func checkStructure(blob []byte, pos, end uint64, names []byte) error {
	depth := 0
	word := func() (uint64, error) {
		if pos+4 > end {
			return 0, fmt.Errorf("offset %#x: structure block ends inside a token", pos)
		}
		v := binary.BigEndian.Uint32(blob[pos:])
		pos += 4
		return uint64(v), nil
	}
	for {
		token, err := word()
		if err != nil {
			return err
		}
		switch token {
		case fdtBeginNode:
			n := bytes.IndexByte(blob[pos:end], 0)
			if n < 0 {
				return fmt.Errorf("offset %#x: node name has no end", pos)
			}
			if n > maxTreeName {
				return fmt.Errorf("offset %#x: node name of %d bytes", pos, n)
			}
			if depth++; depth > maxTreeDepth {
				return fmt.Errorf("offset %#x: more than %d levels deep", pos, maxTreeDepth)
			}
			pos = (pos + uint64(n) + 4) &^ 3
		case fdtEndNode:
			if depth--; depth < 0 {
				return fmt.Errorf("offset %#x: a node ends that never began", pos-4)
			}
		case fdtProp:
			size, err := word()
			if err != nil {
				return err
			}
			name, err := word()
			if err != nil {
				return err
			}
			if name >= uint64(len(names)) || bytes.IndexByte(names[name:min(name+maxTreeName+1, uint64(len(names)))], 0) < 0 {
				return fmt.Errorf("offset %#x: property name at %#x has no end", pos, name)
			}
			if size > end-pos {
				return fmt.Errorf("offset %#x: property of %d bytes, but %d are left", pos, size, end-pos)
			}
			pos = (pos + size + 3) &^ 3
		case fdtNop:
		case fdtEnd:
			if depth != 0 {
				return fmt.Errorf("offset %#x: tree ends inside a node", pos-4)
			}
			return nil
		default:
			return fmt.Errorf("offset %#x: unknown token %#x", pos-4, token)
		}
	}
}

// cloneTree copies nodes and lists of properties, so that a plan never changes
// the machine it was made from. The copies share values, which are only ever
// replaced.
func cloneTree(n *dt.Node) *dt.Node {
	c := dt.NewNode(n.Name, dt.WithProperty(n.Properties...))
	for _, child := range n.Children {
		c.Children = append(c.Children, cloneTree(child))
	}
	return c
}

// property returns the value of a node's property. The node may be nil, here and
// in the functions below.
func property(n *dt.Node, name string) ([]byte, bool) {
	if n == nil {
		return nil, false
	}
	p, ok := n.LookProperty(name)
	if !ok {
		return nil, false
	}
	return p.Value, true
}

// number reads a property that is one big-endian number of 4 or 8 bytes.
func number(n *dt.Node, name string) (Addr, bool) {
	v, ok := property(n, name)
	if !ok {
		return 0, false
	}
	switch len(v) {
	case 4:
		return Addr(binary.BigEndian.Uint32(v)), true
	case 8:
		return Addr(binary.BigEndian.Uint64(v)), true
	}
	return 0, false
}

// pair reads a range from two properties, a base and a size. It is empty if one
// of them is missing.
func pair(n *dt.Node, base, size string) Range {
	b, okB := number(n, base)
	s, okS := number(n, size)
	if !okB || !okS {
		return Range{}
	}
	return rangeOf(b, s)
}

// text reads a property that is one string.
func text(n *dt.Node, name string) string {
	v, _ := property(n, name)
	s, _, _ := strings.Cut(string(v), "\x00")
	return s
}

// child returns the direct child with a name, or nil.
func child(n *dt.Node, name string) *dt.Node {
	if n == nil {
		return nil
	}
	c, _ := n.LookupChildByName(name)
	return c
}

// cells returns how many 32-bit words an address and a size have in the children
// of n.
func cells(n *dt.Node) (address, size int, err error) {
	a, okA := number(n, "#address-cells")
	s, okS := number(n, "#size-cells")
	if !okA {
		a = 2
	}
	if !okS {
		s = 1
	}
	if a < 1 || a > 2 || s < 1 || s > 2 {
		return 0, 0, fmt.Errorf("%w: node %q has %d address and %d size cells, 1 or 2 are supported", ErrBadTree, n.Name, a, s)
	}
	return int(a), int(s), nil
}

// regions reads all pairs of address and size of a reg property. u-root's
// AsRegion reads exactly one pair, of two cells each.
func regions(value []byte, addressCells, sizeCells int) ([]Range, error) {
	pair := 4 * (addressCells + sizeCells)
	if len(value)%pair != 0 {
		return nil, fmt.Errorf("%w: reg has %d bytes, no multiple of %d", ErrBadTree, len(value), pair)
	}
	cell := func(b []byte, n int) Addr {
		if n == 1 {
			return Addr(binary.BigEndian.Uint32(b))
		}
		return Addr(binary.BigEndian.Uint64(b))
	}
	var out []Range
	for ; len(value) > 0; value = value[pair:] {
		out = append(out, rangeOf(cell(value, addressCells), cell(value[4*addressCells:], sizeCells)))
	}
	return out, nil
}
