// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// A builder makes lists as a kernel would.
type builder struct {
	order  binary.AppendByteOrder
	bank   pcr.Algorithm // algorithm of the template digests, SHA1 by default
	padded bool
	data   []byte
}

func (b *builder) field(f []byte) []byte {
	return append(b.order.AppendUint32(nil, uint32(len(f))), f...)
}

// raw adds a record with the given digest, or with the right one if digest is
// nil.
func (b *builder) raw(index uint32, digest []byte, name string, data []byte) {
	if digest == nil {
		bank := b.bank
		if bank == "" {
			bank = pcr.SHA1
		}
		hash := bank
		if b.padded {
			hash = pcr.SHA1
		}
		digest = make([]byte, bank.Size())
		hash.Hash()(digest[:hash.Size()], data)
	}
	b.data = b.order.AppendUint32(b.data, index)
	b.data = append(b.data, digest...)
	b.data = append(b.data, b.field([]byte(name))...)
	b.data = append(b.data, b.field(data)...)
}

// ng adds an ima-ng record.
func (b *builder) ng(name string) {
	sum := sha256.Sum256([]byte(name))
	b.raw(10, nil, "ima-ng", b.ngData("sha256", sum[:], name))
}

func (b *builder) ngData(algorithm string, digest []byte, name string) []byte {
	return append(b.field(append([]byte(algorithm+":\x00"), digest...)), b.field([]byte(name+"\x00"))...)
}

// violation adds a violation, as ima_add_violation does.
func (b *builder) violation(name string) {
	size := pcr.SHA1.Size()
	if b.bank != "" {
		size = b.bank.Size()
	}
	b.raw(10, make([]byte, size), "ima-ng", b.ngData("sha256", make([]byte, 32), name))
}

// legacy adds a record of the old template "ima".
func (b *builder) legacy(digest []byte, name string) {
	padded := make([]byte, legacyLen)
	copy(padded, digest)
	copy(padded[sha1Size:], name)
	d := sha1.Sum(padded)
	b.data = b.order.AppendUint32(b.data, 10)
	b.data = append(b.data, d[:]...)
	b.data = append(b.data, b.field([]byte(imaName))...)
	b.data = append(b.data, digest...)
	b.data = append(b.data, b.field([]byte(name))...)
}

// twoHops makes a list of two kernels, with a violation in the second part.
func twoHops(order binary.AppendByteOrder) *builder {
	b := &builder{order: order}
	b.ng("boot_aggregate")
	for i := range 5 {
		b.ng(fmt.Sprintf("/bin/first%d", i))
	}
	b.ng("boot_aggregate")
	b.violation("/var/log/messages")
	b.ng("/bin/second")
	return b
}

func mustParse(t testing.TB, b []byte) *List {
	t.Helper()
	l, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// replayForms returns the PCR after a list, each hop of which is extended in
// the given form. It is the test's own chain, record by record.
func replayForms(l *List, bank pcr.Algorithm, forms ...Form) pcr.Value {
	x := newRun(l, 10, bank, nil)
	n := bank.Size()
	hop := -1
	for r := range l.All {
		if r.Number == 1 || r.BootAggregate() {
			hop++
		}
		x.value(x.buf[n:2*n], forms[min(hop, len(forms)-1)], &r)
		x.hash(x.buf[:n], x.buf[:2*n])
	}
	return pcr.Value{Algorithm: bank, Value: x.buf[:n]}
}

// chained returns a register after all of its records, extended with true
// digests.
func chained(l *List, index int, bank pcr.Algorithm) pcr.Value {
	reg := make([]byte, bank.Size())
	x := newRun(l, index, bank, nil)
	for r := range l.All {
		if int(r.PCR) == index {
			value := make([]byte, bank.Size())
			x.value(value, FormTrue, &r)
			reg = bank.Sum(append(reg, value...))
		}
	}
	return pcr.Value{Algorithm: bank, Value: reg}
}
