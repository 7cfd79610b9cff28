// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
)

var (
	chains     = flag.Int("chains", 200, "how many random chains TestModel tries")
	firstChain = flag.Uint64("first-chain", 0, "seed of the first of them")
)

// A modelKernel is what a kernel does with each bank for as long as it runs.
type modelKernel struct {
	release string
	noTPM   bool // when IMA started, so it extends nothing
	blind   bool // its boot_aggregate is zero, but it extends
	forms   map[pcr.Algorithm]Form
}

// A model makes a list as kernels would, and the registers record by record. It
// knows nothing of how replays work.
type model struct {
	*rand.Rand
	builder
	banks   []pcr.Algorithm
	zero    []bool // of each hop: its boot_aggregate is
	which   []int  // of each hop: its kernel
	bounded bool   // not all combinations were tried, and the report says so
	blind   bool   // a kernel only seems to extend nothing
	mixed   bool   // and another does
	records []modelRecord
	names   int
}

// A modelRecord is what was extended for one record, and where.
type modelRecord struct {
	index int
	hop   int
	data  []byte
	value map[pcr.Algorithm][]byte // nil if nothing was extended
}

func (m *model) pick(forms ...Form) Form { return forms[m.IntN(len(forms))] }

func (m *model) kernel(n int) modelKernel {
	k := modelKernel{forms: map[pcr.Algorithm]Form{pcr.SHA1: FormTrue}}
	old := m.IntN(6) == 0 // before Linux 5.8, all banks are padded
	for _, a := range m.banks {
		switch {
		case a == pcr.SHA1:
		case old:
			k.forms[a] = FormOld
		default:
			k.forms[a] = m.pick(FormTrue, FormTrue, FormPadded)
		}
	}
	k.noTPM = m.IntN(8) == 0
	k.blind = !k.noTPM && m.IntN(20) == 0
	if m.IntN(3) == 0 {
		k.release = fmt.Sprintf("6.%d", n)
	}
	return k
}

// record appends a record, as ima_add_template_entry does.
func (m *model) record(k modelKernel, hop, index int, violation bool, template string, data []byte) {
	var digest []byte
	if violation {
		digest = make([]byte, sha1Size)
	}
	m.raw(uint32(index), digest, template, data)
	r := modelRecord{index: index, hop: hop, data: data}
	if violation {
		r.data = nil // not extended
	}
	if !k.noTPM {
		r.value = map[pcr.Algorithm][]byte{}
		for _, a := range m.banks {
			r.value[a] = modelValue(a, k.forms[a], violation, data)
		}
	}
	m.records = append(m.records, r)
}

// modelValue does what ima_calc_field_array_hash does, and what older kernels
// had instead.
func modelValue(a pcr.Algorithm, form Form, violation bool, data []byte) []byte {
	out := make([]byte, a.Size())
	switch {
	case violation && form == FormOld:
		copy(out, bytes.Repeat([]byte{0xff}, 20))
	case violation:
		copy(out, bytes.Repeat([]byte{0xff}, len(out)))
	case form == FormTrue:
		copy(out, a.Sum(data))
	default:
		copy(out, pcr.SHA1.Sum(data))
	}
	return out
}

// modelChain returns the register after the records of a slice.
func modelChain(a pcr.Algorithm, index int, records []modelRecord) []byte {
	reg := make([]byte, a.Size())
	for _, r := range records {
		if r.index == index && r.value != nil {
			reg = a.Sum(slices.Concat(reg, r.value[a]))
		}
	}
	return reg
}

func (m *model) boot(k modelKernel, hop int, aggregate []byte) {
	m.zero = append(m.zero, k.noTPM || k.blind)
	if k.noTPM || k.blind {
		aggregate = make([]byte, 32)
	}
	m.record(k, hop, 10, false, "ima-ng", m.ngData("sha256", aggregate, "boot_aggregate"))
	if k.release != "" {
		sum := pcr.SHA256.Sum([]byte(k.release))
		m.record(k, hop, 10, false, bufName, append(m.ngData("sha256", sum, "kernel_version"), m.field([]byte(k.release))...))
	}
	for range m.IntN(5) {
		m.names++
		name := fmt.Sprintf("/bin/%d", m.names)
		index := 10
		switch m.IntN(12) {
		case 0:
			index = 11
		case 1:
			name = "boot_aggregate" // a file of that name
		case 2:
			name = "boot_aggregate2"
		}
		sum := pcr.SHA256.Sum(fmt.Append(nil, m.names))
		violation := m.IntN(6) == 0
		if violation {
			index = 10
		}
		m.record(k, hop, index, violation, "ima-ng", m.ngData("sha256", sum, name))
	}
}

// newModel makes a random chain.
func newModel(seed uint64) *model {
	m := &model{Rand: rand.New(rand.NewPCG(seed, 0))}
	m.order = []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian}[m.IntN(2)]
	m.banks = [][]pcr.Algorithm{{pcr.SHA256}, {pcr.SHA1, pcr.SHA256}, {pcr.SHA1, pcr.SHA256}, {pcr.SHA256, pcr.SHA384}, pcr.Algorithms}[m.IntN(5)]
	kernels := make([]modelKernel, 1+m.IntN(3))
	for i := range kernels {
		kernels[i] = m.kernel(i)
	}
	m.blind = slices.ContainsFunc(kernels, func(k modelKernel) bool { return k.blind })
	m.mixed = m.blind && slices.ContainsFunc(kernels, func(k modelKernel) bool { return k.noTPM })
	aggregate := pcr.SHA256.Sum(fmt.Append(nil, seed))
	measured := m.IntN(4) == 0 // between the kernels: each aggregate differs
	most := 5
	if seed%20 == 0 {
		most = 9
	}
	for hop := range 1 + m.IntN(most) {
		if measured {
			aggregate = pcr.SHA256.Sum(aggregate)
		}
		n := m.IntN(len(kernels))
		m.which = append(m.which, n)
		m.boot(kernels[n], hop, aggregate)
	}
	return m
}

// proven counts the records that the registers in indexes prove.
func (m *model) proven(indexes ...int) (n int) {
	for _, r := range m.records {
		if r.value != nil && slices.Contains(indexes, r.index) {
			n++
		}
	}
	return n
}

// values returns the registers after some of the records.
func (m *model) values(index int, records []modelRecord) []pcr.Value {
	var out []pcr.Value
	for _, a := range m.banks {
		out = append(out, pcr.Value{Algorithm: a, Value: modelChain(a, index, records)})
	}
	return out
}

// lastOf is the number of the last record of a register that was extended, 0 if
// there is none.
func lastOf(records []modelRecord, index int) int {
	for i, r := range slices.Backward(records) {
		if r.index == index && r.value != nil {
			return i + 1
		}
	}
	return 0
}

// TestModel compares replays with the model over random chains: the chain as it
// is, without its last extends, with a register that was reset, with one record
// too few, and with another value.
func TestModel(t *testing.T) {
	bounded := 0
	for i := range uint64(*chains) {
		seed := *firstChain + i
		m := newModel(seed)
		if !m.compare(t, seed) {
			t.Fatalf("seed %d", seed)
		}
		if m.bounded {
			bounded++
		}
	}
	t.Logf("%d of %d chains have too many combinations", bounded, *chains)
	if bounded > 1+*chains/1000 {
		t.Errorf("too many of them")
	}
}

func (m *model) compare(t *testing.T, seed uint64) bool {
	l := mustParse(t, m.data)
	ok := true
	expect := func(what string, got *Report, want ...Verdict) {
		if !slices.Contains(want, got.Verdict) && strings.Contains(got.Text, textPartial) {
			m.bounded = true
			return
		}
		if !slices.Contains(want, got.Verdict) {
			t.Errorf("seed %d: %s: %s (%s), want %s", seed, what, got.Verdict, got.Text, want)
			ok = false
		}
	}
	both := Check(l, 10, m.values(10, m.records), Register{11, m.values(11, m.records)})
	want := Match
	if m.proven(10, 11) < len(m.records) {
		want = Unproven
	}
	expect("whole", both, want)
	n := both.proven(l)
	// If kernels with a zero boot_aggregate behave differently, it may be
	// undecided which of several equal records was extended.
	if most := m.proven(10, 11); n > most || n < most && !m.mixed && !m.bounded {
		t.Errorf("seed %d: %d records proven, want %d: %s", seed, n, m.proven(10, 11), both.Text)
		ok = false
	}
	ten := Check(l, 10, m.values(10, m.records))
	want = Match
	if m.proven(10) < len(m.records) {
		want = Unproven
	}
	expect("PCR 10 alone", ten, want)

	// A hint changes nothing, be it right or wrong.
	wrong := Hint{}
	for _, b := range ten.Banks {
		forms := make([]Form, 1+m.IntN(len(l.hops)))
		for i := range forms {
			forms[i] = m.pick(FormTrue, FormPadded, FormOld, FormNone)
		}
		wrong[b.Algorithm] = formText(forms)
	}
	for what, hint := range map[string]Hint{"a right hint": ten.Hint(), "a wrong hint": wrong} {
		got := CheckHint(l, hint, 10, m.values(10, m.records))
		expect(what, got, want)
		if n, most := got.proven(l), m.proven(10); n > most || n < most && !m.mixed && !m.bounded {
			t.Errorf("seed %d: %s: %d records proven, want %d: %s", seed, what, n, most, got.Text)
			ok = false
		}
	}

	// A search that ends without a match takes long, so there is one for
	// each chain.
	switch last := lastOf(m.records, 10); m.IntN(3) {
	case 0:
		if last > 0 {
			m.behind(l, last, expect)
		}
	case 1:
		bad := m.values(10, m.records)
		bad[m.IntN(len(bad))].Value[3] ^= 1
		want = BankNotReplayable
		if len(bad) == 1 {
			want = TPMAhead
		}
		expect("a wrong bank", Check(l, 10, bad), want)
	default:
		m.reset(l, expect)
	}
	return ok
}

// proven counts the records that a report calls proven.
func (r *Report) proven(l *List) (n int) {
	for record := range l.All {
		if r.Proves(l, &record) {
			n++
		}
	}
	return n
}

// behind compares a register that lacks the last extend, and a list that lacks
// its last extended record.
func (m *model) behind(l *List, last int, expect func(string, *Report, ...Verdict)) {
	before := m.records[:last-1]
	wants := []Verdict{ListAhead}
	hop := m.records[last-1].hop
	if first := lastOf(before, 10); first == 0 || m.records[first-1].hop != hop {
		switch {
		case m.zero[hop]: // as if that kernel extended nothing
			wants = []Verdict{Unproven}
		case hop > 0 && m.zero[hop-1]: // as if its boot_aggregate were a file
			wants = append(wants, Unproven)
		}
	}
	if m.blind {
		// As if equal boot_aggregates had been extended by other kernels.
		wants = append(wants, Unproven, ListAhead)
	}
	expect("not yet extended", Check(l, 10, m.values(10, before)), wants...)
	offset := 0
	for r := range l.All {
		if r.Number == last {
			offset = r.Offset
		}
	}
	short, err := Parse(l.data[:offset])
	if err != nil {
		panic(err)
	}
	if short.records > 0 {
		wants := []Verdict{TPMAhead}
		if slices.ContainsFunc(before, func(r modelRecord) bool { return bytes.Equal(r.data, m.records[last-1].data) }) {
			// As if another kernel with the same boot_aggregate
			// were the last.
			wants = append(wants, Match, ListAhead, Unproven)
		}
		expect("a record is lost", Check(short, 10, m.values(10, m.records)), wants...)
	}
}

// reset compares a register that was reset before one of the hops.
func (m *model) reset(l *List, expect func(string, *Report, ...Verdict)) {
	hop := 1 + m.IntN(len(m.zero))
	i := slices.IndexFunc(m.records, func(r modelRecord) bool { return r.hop == hop })
	if i < 0 {
		return
	}
	after := m.records[i:]
	if lastOf(after, 10) == 0 || lastOf(m.records[:i], 10) == 0 || m.isPrefix(after) {
		return // the register can have this value without a reset
	}
	want := []Verdict{TPMReset}
	if len(slices.Compact(slices.Clone(m.which[hop:]))) > 1 {
		// If a mixed chain follows the reset, the verdict does not call
		// it a reset.
		want = append(want, TPMAhead, BankNotReplayable)
	}
	if m.zero[0] {
		// As if the first kernels extended nothing.
		want = append(want, Unproven, ListAhead)
	}
	expect("reset before record "+fmt.Sprint(i+1), Check(l, 10, m.values(10, after)), want...)
}

// isPrefix reports whether the list begins with what was extended for some
// records, in whatever form.
func (m *model) isPrefix(records []modelRecord) bool {
	var all, some [][]byte
	for _, r := range m.records {
		if r.index == 10 {
			all = append(all, r.data)
		}
	}
	for _, r := range records {
		if r.index == 10 && r.value != nil {
			some = append(some, r.data)
		}
	}
	for at := range len(all) - len(some) + 1 {
		if slices.EqualFunc(all[at:at+len(some)], some, bytes.Equal) && (at == 0 || m.zero[0]) {
			return true
		}
	}
	return false
}
