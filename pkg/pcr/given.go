// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package pcr

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// NoIndex is the number of a register that was not told.
const NoIndex = -1

// maxIndex is the number of the last register that a TPM of a PC has.
const maxIndex = 23

// An Indexed is the value of one register in one bank.
type Indexed struct {
	// Index is the number of the register, or NoIndex.
	Index int
	Value
}

// A Given collects the values that somebody gives as arguments and files.
type Given struct {
	Values []Indexed
	// Unknown holds the names of banks that were skipped because they
	// cannot be replayed here.
	Unknown []string
}

// argument matches what Add takes, other than the name of a file: a register's
// number, an algorithm, the number again, and what follows.
var argument = regexp.MustCompile(`^(?:(?:PCR-?)?(\d{1,2}):)?([A-Za-z][A-Za-z0-9_-]*?)(?::(\d{1,2}))?([=:,])(.+)$`)

// Add parses an argument and adds its values. An argument is one of:
//
//	ALG=HEX, ALG:HEX          a value; the register's number is not told
//	INDEX:ALG=HEX             a value, and the register's number
//	INDEX:ALG=HEX,ALG=HEX…    values of several banks (tpm2_pcrextend)
//	ALG,FILE                  a file of one bank (evmctl --pcrs)
//	FILE                      a file with what such a tool prints (see addText)
//	text with line ends       the content of such a file
//
// ALG:INDEX is the same as INDEX:ALG. read returns the content of a file. Errors
// wrap ErrValue, or are those of read. Two different values for one register
// and bank are an error.
func (g *Given) Add(arg string, read func(name string) ([]byte, error)) error {
	if strings.Contains(arg, "\n") {
		return g.addText([]byte(arg), "", NoIndex)
	}
	m := argument.FindStringSubmatch(arg)
	if m == nil {
		return g.addFile(arg, read)
	}
	a, separator, rest := Algorithm(strings.ToLower(m[2])), m[4], m[5]
	known := a.Size() > 0
	if !known && (separator == "," || separator == ":" && strings.Trim(rest, hexDigits) != "") {
		return g.addFile(arg, read)
	}
	if m[1] != "" && m[3] != "" {
		return fmt.Errorf("%w: %q has the number of the register twice", ErrValue, arg)
	}
	index, err := parseIndex(m[1] + m[3])
	if err != nil {
		return err
	}
	if separator == "," {
		text, err := read(rest)
		if err != nil {
			return err
		}
		return inFile(rest, g.addText(text, a, index))
	}
	for part := range strings.SplitSeq(m[2]+"="+rest, ",") {
		v, err := Parse(part)
		if err != nil {
			return err
		}
		if err := g.insert(Indexed{index, v}); err != nil {
			return err
		}
	}
	return nil
}

const hexDigits = "0123456789abcdefABCDEFxX \t"

// sysfs matches the files of the kernel with one value each
// (drivers/char/tpm/tpm-sysfs.c).
var sysfs = regexp.MustCompile(`(?:^|/)pcr-([a-z0-9_-]+)/(\d{1,2})$`)

// addFile adds the values of a file, whose name may tell the register.
func (g *Given) addFile(name string, read func(string) ([]byte, error)) error {
	text, err := read(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.Contains(name, "/") {
		return fmt.Errorf("%w: %q is not ALG=HEX, and there is no such file", ErrValue, name)
	}
	if err != nil {
		return err
	}
	bank, index := Algorithm(""), NoIndex
	if m := sysfs.FindStringSubmatch(name); m != nil {
		bank = Algorithm(m[1])
		if index, err = parseIndex(m[2]); err != nil {
			return err
		}
	}
	return inFile(name, g.addText(text, bank, index))
}

func inFile(name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// parseIndex parses the number of a register; "" is NoIndex.
func parseIndex(s string) (int, error) {
	if s == "" {
		return NoIndex, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n > maxIndex {
		return 0, fmt.Errorf("%w: there is no PCR %s: the last one is PCR %d", ErrValue, s, maxIndex)
	}
	return n, nil
}

func (g *Given) add(index int, algorithm, value string) error {
	v, err := New(algorithm, value)
	if err != nil {
		return err
	}
	return g.insert(Indexed{index, v})
}

// insert adds a value, unless it is known already.
func (g *Given) insert(x Indexed) error {
	i := slices.IndexFunc(g.Values, func(y Indexed) bool { return y.Index == x.Index && y.Algorithm == x.Algorithm })
	if i < 0 {
		g.Values = append(g.Values, x)
		return nil
	}
	if !bytes.Equal(g.Values[i].Value.Value, x.Value.Value) {
		return fmt.Errorf("%w: %s is given twice, as %x and as %x", ErrValue, x.name(), g.Values[i].Value.Value, x.Value.Value)
	}
	return nil
}

func (x Indexed) name() string {
	if x.Index == NoIndex {
		return string(x.Algorithm)
	}
	return fmt.Sprintf("PCR %d of %s", x.Index, x.Algorithm)
}

// Resolve returns the values with the number index wherever no number was told.
func (g *Given) Resolve(index int) (*Given, error) {
	out := &Given{Unknown: g.Unknown}
	for _, x := range g.Values {
		if x.Index == NoIndex {
			x.Index = index
		}
		if err := out.insert(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Register returns the values of one register, in the order of Algorithms.
func (g *Given) Register(index int) []Value {
	var out []Value
	for _, a := range Algorithms {
		if v, ok := g.Find(index, a); ok {
			out = append(out, Value{a, v})
		}
	}
	return out
}

// Find returns the value of a register in one bank.
func (g *Given) Find(index int, a Algorithm) ([]byte, bool) {
	for _, x := range g.Values {
		if x.Index == index && x.Algorithm == a {
			return x.Value.Value, true
		}
	}
	return nil, false
}
