// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package ipxe

import (
	"context"
	"encoding/binary"
	"regexp"
	"strconv"

	"github.com/imaboot/imaboot/pkg/entry"
)

// A variable is one that a script has set.
type variable struct {
	text string
	// number is the type behind the name, nil if it is no integer's.
	number *integer
}

// An integer is a type of settings (ipxe.org/settings), which iPXE stores in the
// order of the network.
type integer struct {
	bytes  int
	signed bool
}

var integers = map[string]*integer{
	"int8": {1, true}, "int16": {2, true}, "int32": {4, true},
	"uint8": {1, false}, "uint16": {2, false}, "uint32": {4, false},
}

// digits matches what iPXE reads as a number, in C's notation.
var digits = regexp.MustCompile(`^[-+]?(0[xX][0-9a-fA-F]+|[0-9]+)$`)

// parseInteger reads a number of 64 bits; a larger one is refused.
func parseInteger(text string) (n int64, ok bool) {
	if !digits.MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 0, 64)
	return n, err == nil
}

// raw returns a number's bytes, of which only the last are kept.
func (i *integer) raw(n int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(n))[8-i.bytes:]
}

// value returns the number of some bytes, of which there are eight at most.
func (i *integer) value(raw []byte) (n int64, ok bool) {
	if len(raw) > 8 {
		return 0, false
	}
	if i.signed && len(raw) > 0 && raw[0] >= 0x80 {
		n = -1
	}
	for _, b := range raw {
		n = n<<8 | int64(b)
	}
	return n, true
}

// format writes a number as iPXE shows it: an unsigned one in hexadecimal.
func (i *integer) format(n int64) string {
	if i.signed || n == 0 {
		return strconv.FormatInt(n, 10)
	}
	return "0x" + strconv.FormatUint(uint64(n), 16)
}

// raw returns the bytes of a variable.
func (v variable) raw() []byte {
	if n, ok := parseInteger(v.text); ok && v.number != nil {
		return v.number.raw(n)
	}
	return raw(v.text)
}

// store writes a number to a variable, as much of it as fits.
func (x *interpreter) storeInteger(name string, i *integer, n int64) error {
	n, _ = i.value(i.raw(n))
	return x.store(name, variable{i.format(n), i})
}

// inc adds to a number, which is 0 if there is none. iPXE refuses texts.
func (x *interpreter) inc(_ context.Context, _ *script, args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return failed("no variable")
	}
	by := int64(1)
	if len(args) == 2 {
		var ok bool
		if by, ok = parseInteger(args[1]); !ok {
			return failed("no number: %s", entry.Printable(args[1]))
		}
	}
	name, form := splitName(args[0])
	v, have := x.variables[name]
	as := integers[form]
	switch {
	case form != "" && as == nil, form == "" && have && v.number == nil:
		return failed("no number: %s", entry.Printable(args[0]))
	case as == nil && have:
		as = v.number
	case as == nil:
		as = integers["int32"]
	}
	var n int64
	if have {
		n, _ = as.value(v.raw())
	}
	return x.storeInteger(name, as, n+by)
}
