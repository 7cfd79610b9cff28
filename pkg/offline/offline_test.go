// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package offline

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

const captured = "../handover/testdata/ppc64le-three-kernels"

// quoted are the PCRs of the captured list, as arguments.
func quoted(t testing.TB) []string {
	t.Helper()
	b, err := os.ReadFile(captured + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		PCR10 map[string]string `json:"pcr10"`
	}
	if err := json.Unmarshal(b, &info); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range pcr.Algorithms {
		out = append(out, string(a)+"="+info.PCR10[string(a)])
	}
	return out
}

// A directory holds the files of a test.
type directory struct {
	t    testing.TB
	path string
}

func (d directory) file(name string, b []byte) string {
	d.t.Helper()
	path := filepath.Join(d.path, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// A builder makes lists, and the values of the registers that they are extended
// into.
type builder struct {
	list []byte
	regs map[int]map[pcr.Algorithm][]byte
}

// add adds a record, and extends it.
func (b *builder) add(index int, digest, name string) {
	field := func(b []byte) []byte { return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...) }
	value, err := hex.DecodeString(digest)
	if err != nil {
		panic(err)
	}
	a := pcr.SHA256
	if len(value) == pcr.SHA1.Size() {
		a = pcr.SHA1
	}
	data := append(field(append([]byte(string(a)+":\x00"), value...)), field([]byte(name+"\x00"))...)
	b.list = binary.LittleEndian.AppendUint32(b.list, uint32(index))
	b.list = append(b.list, pcr.SHA1.Sum(data)...)
	b.list = append(append(b.list, field([]byte("ima-ng"))...), field(data)...)
	for _, bank := range pcr.Algorithms {
		b.set(index, bank, bank.Sum(append(b.get(index, bank), bank.Sum(data)...)))
	}
}

func (b *builder) get(index int, bank pcr.Algorithm) []byte {
	if v := b.regs[index][bank]; v != nil {
		return bytes.Clone(v)
	}
	return make([]byte, bank.Size())
}

func (b *builder) set(index int, bank pcr.Algorithm, value []byte) {
	if b.regs == nil {
		b.regs = map[int]map[pcr.Algorithm][]byte{}
	}
	if b.regs[index] == nil {
		b.regs[index] = map[pcr.Algorithm][]byte{}
	}
	b.regs[index][bank] = value
}

// value returns a register as an argument.
func (b *builder) value(index int, bank pcr.Algorithm) string {
	return fmt.Sprintf("%d:%s=%x", index, bank, b.get(index, bank))
}

// digest returns a digest for a file.
func digest(name string) string { return hex.EncodeToString(pcr.SHA256.Sum([]byte(name))) }

// check reads, and compares the refusal.
func check(t *testing.T, o Options, want refusal.Name, text string) *Result {
	t.Helper()
	r, err := Verify(&o)
	if err == nil {
		err = r.Err()
	}
	switch {
	case want == "" && err != nil:
		t.Errorf("error %v", err)
	case want != "" && (err == nil || refusal.Of(err) != want || !strings.Contains(err.Error(), text)):
		t.Errorf("error %v (%s), want %s, %q", err, refusal.Of(err), want, text)
	case want == "" && text != "":
		var out strings.Builder
		if err := r.WriteText(&out); err != nil || !strings.Contains(out.String(), text) {
			t.Errorf("%v, %s\nwant %q", err, out.String(), text)
		}
	}
	return r
}

// TestRead reads lists whole and in parts.
func TestRead(t *testing.T) {
	data, err := os.ReadFile(captured + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	l, err := handover.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	at := make([]int, l.Records()+2)
	for r := range l.All {
		at[r.Number] = r.Offset
	}
	dir := directory{t, t.TempDir()}
	var text bytes.Buffer
	if err := l.WriteASCII(&text); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(text.Bytes()); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	whole := captured + ".bin"
	ascii, zipped := dir.file("ascii", text.Bytes()), dir.file("ascii.gz", packed.Bytes())
	front, rest, cut := dir.file("front", data[:at[4]]), dir.file("rest", data[at[4]:]), dir.file("cut", data[:len(data)-1])
	pcrs := quoted(t)
	for _, tt := range []struct {
		name string
		o    Options
		want refusal.Name
		text string
	}{
		{"whole", Options{List: whole, PCRs: pcrs}, "", "17 records"},
		{"text", Options{List: ascii, PCRs: pcrs}, "", "ascii: the kernel's text form; binary records were made of it\n"},
		{"packed text", Options{List: zipped, PCRs: pcrs}, "", "ascii.gz: the kernel's text form; binary records were made of it, unpacked from gzip\n"},
		{"in two parts", Options{List: rest, Prefix: front, PCRs: pcrs}, "", "front: 3 records, of which the list also has 0\n"},
		{"without its front", Options{List: rest, PCRs: pcrs}, refusal.TPMAhead, "trimmed"},
		{"nothing to compare with", Options{List: whole}, refusal.NoTPM, "17 records are unproven"},
		{"and nothing is wanted", Options{List: whole, Unproven: true}, "", ""},
		{"cut short", Options{List: cut}, refusal.DamagedList, cut + ": record 17"},
		{"no file", Options{List: "/none/list"}, refusal.BadFile, "/none/list"},
		{"no prefix", Options{List: rest, Prefix: "/none/prefix"}, refusal.BadFile, "/none/prefix"},
		{"a bad value", Options{List: whole, PCRs: []string{"sha1=00"}}, refusal.BadPCR, "1 are given"},
		{"a bad start", Options{List: whole, Starts: []string{"sha1=00"}}, refusal.BadPCR, "1 are given"},
		{"no file of values", Options{List: whole, PCRs: []string{"sha1,/none/pcrs"}}, refusal.BadFile, "/none/pcrs"},
		{"standard input twice", Options{List: "-", PCRs: []string{"sha1,-"}}, refusal.Usage, "standard input"},
		{"another value", Options{List: whole, PCRs: append([]string{"10:sha1=" + strings.Repeat("11", 20)}, pcrs...)}, refusal.BadPCR, "given twice"},

		{"overlapping", Options{List: rest, Prefix: dir.file("overlap", data[:at[9]]), PCRs: pcrs}, "", "overlap: 8 records, of which the list also has 5\n"},
		{"the whole list in front", Options{List: rest, Prefix: whole, PCRs: pcrs}, "", "17 records, of which the list also has 14\n"},
		{"the same list", Options{List: whole, Prefix: whole, PCRs: pcrs}, "", "17 records, of which the list also has 17\n"},
		{"an older copy", Options{List: whole, Prefix: front, PCRs: pcrs}, "", "3 records, of which the list also has 3\n"},
		{"text in front", Options{List: rest, Prefix: ascii, PCRs: pcrs}, "", "the kernel's text form"},
		{"text behind", Options{List: dir.file("text-rest", text.Bytes()[bytes.IndexByte(text.Bytes(), '\n')+1:]), Prefix: front, PCRs: pcrs}, "", "of which the list also has 2\n"},
		{"a hole", Options{List: dir.file("late", data[at[6]:]), Prefix: front, PCRs: pcrs}, refusal.TPMAhead, "there may be a hole between record 3, the prefix's last, and the list's first"},
		{"an empty prefix", Options{List: whole, Prefix: dir.file("empty", nil), PCRs: pcrs}, "", "0 records"},
		{"a damaged prefix", Options{List: rest, Prefix: cut, PCRs: pcrs}, refusal.DamagedList, cut + ": record 17"},
	} {
		t.Run(tt.name, func(t *testing.T) { check(t, tt.o, tt.want, tt.text) })
	}
	r := check(t, Options{List: dir.file("late", data[at[6]:]), Prefix: front, PCRs: pcrs}, refusal.TPMAhead, "hole")
	if !r.Prefix.Hole || r.Prefix.Records != 3 || r.Prefix.Overlap != 0 {
		t.Errorf("%+v", r.Prefix)
	}
}

// TestTwins: two kernels that measure the same look like an overlap. The PCRs
// tell.
func TestTwins(t *testing.T) {
	dir := directory{t, t.TempDir()}
	b := &builder{}
	hop := func() {
		b.add(10, digest("aggregate"), "boot_aggregate")
		b.add(10, digest("init"), "/init")
	}
	hop()
	one := dir.file("one", b.list)
	single := b.value(10, pcr.SHA256)
	hop()
	double := b.value(10, pcr.SHA256)
	if r := check(t, Options{List: one, Prefix: one, PCRs: []string{single}}, "", ""); r.Records != 2 || r.Prefix.Overlap != 2 {
		t.Errorf("%d records, %+v", r.Records, r.Prefix)
	}
	if r := check(t, Options{List: one, Prefix: one, PCRs: []string{double}}, "", ""); r.Records != 4 || r.Prefix.Overlap != 0 {
		t.Errorf("%d records, %+v", r.Records, r.Prefix)
	}
}

// TestStarts: a verifier goes on from what it has checked.
func TestStarts(t *testing.T) {
	dir := directory{t, t.TempDir()}
	b := &builder{}
	b.add(10, digest("aggregate"), "boot_aggregate")
	b.add(10, digest("a"), "/a")
	at := len(b.list)
	s1, s2 := b.value(10, pcr.SHA1), b.value(10, pcr.SHA256)
	b.add(10, digest("b"), "/b")
	middle := len(b.list)
	b.add(10, digest("c"), "/c")
	rest, late := dir.file("rest", b.list[at:]), dir.file("late", b.list[middle:])
	v1, v2 := b.value(10, pcr.SHA1), b.value(10, pcr.SHA256)
	check(t, Options{List: rest, PCRs: []string{v1, v2}, Starts: []string{s1, s2[len("10:"):]}}, "", "PCR 10: sha1 match, sha256 match\n")
	check(t, Options{List: rest, PCRs: []string{v1, v2}, Starts: []string{s2}}, "", "sha256 match; not compared, since no value to start from is known: sha1 of PCR 10\n")
	check(t, Options{List: rest, PCRs: []string{v1}, Starts: []string{s2}}, refusal.NoTPM, "sha1 of PCR 10")
	check(t, Options{List: rest, PCRs: []string{v1}, Starts: []string{v1}}, refusal.ListAhead, "after record 0 of 2")
	check(t, Options{List: late, Prefix: rest, PCRs: []string{v2}, Starts: []string{s2}}, "", "of which the list also has 1\n")
	check(t, Options{List: dir.file("nothing", nil), PCRs: []string{v2}, Starts: []string{v2}}, "", "0 records")
	starts := dir.file("starts", []byte("sha256:\n  10: 0x"+s2[strings.IndexByte(s2, '=')+1:]+"\n"))
	check(t, Options{List: rest, PCRs: []string{v2}, Starts: []string{starts}}, "", "sha256 match\n")
}

// TestIndexes: the list's first record names the register that its kernels
// extend, and other registers are told.
func TestIndexes(t *testing.T) {
	dir := directory{t, t.TempDir()}
	b := &builder{}
	b.add(11, digest("aggregate"), "boot_aggregate")
	b.add(11, digest("init"), "/init")
	bare := strings.TrimPrefix(b.value(11, pcr.SHA256), "11:")
	list := dir.file("eleven", b.list)
	r := check(t, Options{List: list, PCRs: []string{bare}}, "", "PCR 11: sha256 match\n")
	if r.PCR != 11 {
		t.Errorf("PCR %d", r.PCR)
	}
	check(t, Options{List: list, PCRs: []string{"11:" + bare}}, "", "PCR 11: sha256 match\n")
	b.add(12, digest("data"), "/data")
	list = dir.file("two", b.list)
	check(t, Options{List: list, PCRs: []string{bare}}, refusal.UnprovenRecords, "1 of PCR 12, which was not compared")
	check(t, Options{List: list, PCRs: []string{bare, b.value(12, pcr.SHA256)}}, "", "PCR 11: sha256 match; PCR 12: sha256 match\n")
	check(t, Options{List: list, PCRs: []string{bare, b.value(12, pcr.SHA256), "12:sha1=" + strings.Repeat("11", 20)}}, refusal.BankNotReplayable, "PCR 12: sha1 no match, sha256 match")
	// Without its first record, only what is told can be compared.
	l, err := handover.Parse(b.list)
	if err != nil {
		t.Fatal(err)
	}
	tail, err := l.Skip(1)
	if err != nil {
		t.Fatal(err)
	}
	first := &builder{}
	first.add(11, digest("aggregate"), "boot_aggregate")
	check(t, Options{
		List: dir.file("tail", tail.Bytes()), Starts: []string{first.value(11, pcr.SHA256), "12:sha256=" + strings.Repeat("00", 32)},
		PCRs: []string{b.value(11, pcr.SHA256), b.value(12, pcr.SHA256)},
	}, "", "PCR 11: sha256 match; PCR 12: sha256 match\n")
}

// TestUnknownBanks: what cannot be compared is said.
func TestUnknownBanks(t *testing.T) {
	dir := directory{t, t.TempDir()}
	b := &builder{}
	b.add(10, digest("aggregate"), "boot_aggregate")
	text := fmt.Sprintf("sm3_256:\n  10: 0x%064x\nsha256:\n  10: 0x%x\n", 1, b.get(10, pcr.SHA256))
	r := check(t, Options{List: dir.file("list", b.list), PCRs: []string{dir.file("pcrs", []byte(text))}}, "", "cannot be replayed here: banks sm3_256\n")
	if !slices.Equal(r.UnknownBanks, []string{"sm3_256"}) {
		t.Error(r.UnknownBanks)
	}
	if b, err := json.Marshal(r); err != nil || strings.Count(string(b), `"unknown_banks":["sm3_256"]`) != 1 {
		t.Errorf("%v, %s", err, b)
	}
}
