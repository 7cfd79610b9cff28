// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// wrong is a value that no list leads to.
func wrong(banks ...pcr.Algorithm) []pcr.Value {
	var out []pcr.Value
	for _, a := range banks {
		out = append(out, pcr.Value{Algorithm: a, Value: slices.Repeat([]byte{0x11}, a.Size())})
	}
	return out
}

// chain is a list of hops with some records each, and violations in them if so
// asked.
func chain(hops, records int, violations bool) *builder {
	b := &builder{order: binary.LittleEndian}
	for hop := range hops {
		b.ng("boot_aggregate")
		for i := 1; i < records; i++ {
			if violations && i == 1 {
				b.violation(fmt.Sprintf("/var/log/%d", hop))
				continue
			}
			b.ng(fmt.Sprintf("/usr/lib/%d/%d", hop, i))
		}
	}
	return b
}

// repeat is a form n times.
func repeat(f Form, n int) []Form { return slices.Repeat([]Form{f}, n) }

// TestLongChains: chains as they are made by one soft reboot after another.
func TestLongChains(t *testing.T) {
	for _, tt := range []struct {
		name       string
		records    int
		violations bool
		forms      []Form
	}{
		{"eight that pad", 2, false, repeat(FormPadded, 8)},
		{"four of the oldest, each with a violation", 2, true, repeat(FormOld, 4)},
		{"a hundred that pad", 3, true, repeat(FormPadded, 100)},
		{"an older one late", 3, false, append(repeat(FormTrue, 7), FormPadded)},
		{"an upgrade in a long chain", 3, true, append(repeat(FormPadded, 60), repeat(FormTrue, 40)...)},
		{"upgrade and downgrade", 20, false, slices.Concat(repeat(FormPadded, 3), repeat(FormTrue, 4), repeat(FormPadded, 2))},
		{"all three", 4, true, slices.Concat(repeat(FormOld, 5), repeat(FormPadded, 3), repeat(FormTrue, 6))},
		{"large hops", 1500, false, []Form{FormPadded, FormTrue, FormPadded, FormTrue, FormTrue, FormPadded}},
		{"no order at all", 3, false, []Form{FormPadded, FormTrue, FormPadded, FormTrue, FormTrue, FormPadded, FormTrue, FormPadded, FormPadded, FormTrue, FormTrue}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := mustParse(t, chain(len(tt.forms), tt.records, tt.violations).data)
			got := Check(l, 10, []pcr.Value{replayForms(l, pcr.SHA384, tt.forms...)})
			if got.Verdict != Match {
				t.Fatal(got.Text)
			}
			if diff := cmp.Diff(tt.forms, got.Banks[0].Forms); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTwoKernelsInTurn: firmware and system kexec each other again and again,
// and each has its form.
func TestTwoKernelsInTurn(t *testing.T) {
	b := &builder{order: binary.LittleEndian}
	var forms []Form
	for range 15 {
		b.ng("boot_aggregate")
		b.ng("/init")
		b.ng("boot_aggregate")
		b.ng("/usr/lib/systemd/systemd")
		forms = append(forms, FormPadded, FormTrue)
	}
	l := mustParse(t, b.data)
	if got := Check(l, 10, []pcr.Value{replayForms(l, pcr.SHA384, forms...)}); got.Verdict != Match {
		t.Error(got.Text)
	}
}

// TestFilesCalledBootAggregate: an unprivileged user of an earlier stage has IMA
// measure files of that name, which must not keep the chain from being verified.
func TestFilesCalledBootAggregate(t *testing.T) {
	for _, tt := range []struct {
		name     string
		measured bool // so that the kernels' boot_aggregates differ
		files    int
	}{{"one aggregate", false, 3000}, {"two aggregates", true, 3000}} {
		t.Run(tt.name, func(t *testing.T) {
			b := &builder{order: binary.LittleEndian}
			b.ng("boot_aggregate")
			for i := range tt.files {
				sum := pcr.SHA256.Sum(fmt.Append(nil, i))
				b.raw(10, nil, "ima-ng", b.ngData("sha256", sum, "boot_aggregate"))
			}
			last := len(b.data)
			if tt.measured {
				b.raw(10, nil, "ima-ng", b.ngData("sha256", pcr.SHA256.Sum(nil), "boot_aggregate"))
			} else {
				b.ng("boot_aggregate")
			}
			b.ng("/init")
			l := mustParse(t, b.data)
			// The last kernel extends real digests, the one before padded.
			value := make([]byte, pcr.SHA512.Size())
			x := newRun(l, 10, pcr.SHA512, nil)
			for r := range l.All {
				form := FormPadded
				if r.Offset >= last {
					form = FormTrue
				}
				v := make([]byte, len(value))
				x.value(v, form, &r)
				value = pcr.SHA512.Sum(append(value, v...))
			}
			if got := Check(l, 10, []pcr.Value{{Algorithm: pcr.SHA512, Value: value}}); got.Verdict != Match {
				t.Error(got.Text)
			}
		})
	}
}

// TestBound: a register that no list leads to ends the search after work that
// grows with the records, and is not called a loss. Work is counted in hashes.
func TestBound(t *testing.T) {
	for _, tt := range []struct {
		name    string
		list    *builder
		banks   []pcr.Algorithm
		partial bool
	}{
		{"4000 hops", chain(4000, 1, false), []pcr.Algorithm{pcr.SHA256}, true},
		{"14000 records", chain(7, 2000, false), pcr.Algorithms[1:], true},
		{"few", chain(3, 3, true), pcr.Algorithms[1:], false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := mustParse(t, tt.list.data)
			// Three tries and the search for a reset, and for each extend the
			// digest of a record beside it.
			most := 8 * (spareExtends + extendsPerRecord*l.Records())
			for _, p := range wrong(tt.banks...) {
				x := newRun(l, 10, p.Algorithm, p.Value)
				hashes, hash := 0, x.hash
				x.hash = func(dst, b []byte) { hashes++; hash(dst, b) }
				x.begin()
				x.replay()
				if hashes > most {
					t.Errorf("%s: %d hashes for %d records, %d is the most", p.Algorithm, hashes, l.Records(), most)
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := Check(l, 10, wrong(tt.banks...))
			runtime.ReadMemStats(&after)
			t.Logf("%d KiB allocated for a list of %d KiB", (after.TotalAlloc-before.TotalAlloc)>>10, len(tt.list.data)>>10)
			if got.Verdict != TPMAhead || strings.Contains(got.Text, textPartial) != tt.partial || strings.Contains(got.Text, textAhead) == tt.partial {
				t.Error(got.Text)
			}
		})
	}
}
