// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// asciiOf prints a list as the kernel does.
func asciiOf(t testing.TB, l *List) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := l.WriteASCII(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// manyTemplates makes a list of all templates, with fields as the kernel fills
// them, and with names that make the text ambiguous.
func manyTemplates(order binary.AppendByteOrder, bank pcr.Algorithm) *builder {
	b := &builder{order: order, bank: bank}
	join := func(fields ...[]byte) (data []byte) {
		for _, f := range fields {
			data = append(data, b.field(f)...)
		}
		return data
	}
	add := func(template string, fields ...[]byte) { b.raw(10, nil, template, join(fields...)) }
	u16 := func(n uint16) []byte { return order.AppendUint16(nil, n) }
	u32 := func(n uint32) []byte { return order.AppendUint32(nil, n) }
	name := func(s string) []byte { return append([]byte(s), 0) }
	digest := append([]byte("sha256:\x00"), bytes.Repeat([]byte{0x3a, 0}, 16)...)
	b.ng("boot_aggregate")
	forged := fmt.Sprintf("/tmp/x\n10 %s ima-ng sha256:%s /bin/forged", strings.Repeat("ab", b.size()), strings.Repeat("cd", 32))
	for _, s := range []string{"", "/a b", "/two\nlines", "/ends\n", "/\n", "\n\n", "/many\n\n\nlines", forged, forged + "\n", "/tail ", " /head", "/\xff", "/a 0123", "/\r"} {
		b.ng(s)
		add("ima-sig", digest, name(s), nil)
		add("ima-sig", digest, name(s), []byte{3, 2, 4})
		add("ima-buf", digest, name(s), []byte(s))
		add("n-ng|d-ng", name(s), digest)
		add("d-ng|n-ng|n-ng", digest, name(s), name("/other"))
	}
	add("ima-ngv2", append([]byte("verity:sha1:\x00"), make([]byte, 20)...), name("/v"))
	add("ima-sigv2", append([]byte("ima:sha512:\x00"), make([]byte, 64)...), name("/s"), []byte{6})
	add("ima-modsig", digest, name("/m"), nil, nil, []byte{0xff})
	add("ima-modsig", digest, name("/m"), []byte{3}, digest, bytes.Repeat([]byte{0x30}, 5000))
	add("ima-modsig", digest, name("/none"), nil, nil, nil)
	add("evm-sig", digest, name("/e"), []byte{5}, name("security.selinux|security.ima\x00"), u32(4), []byte("x"), u32(1000), u32(70000), u16(0o100644))
	add("evm-sig", digest, name("/e"), nil, nil, nil, nil, u32(0), u32(0), u16(0o100755))
	add("evm-sig", digest, name("boot_aggregate"), nil, nil, nil, nil, nil, nil, nil)
	add("d|n", make([]byte, 20), name("/c"))
	add("imode|iuid|n", u16(7), u32(8), name("/o"))
	add("imode", u32(7))
	add("d", make([]byte, 20))
	add("d-ng", nil)
	add("n", nil)
	b.raw(11, nil, "ima-ng", b.ngData("sha1", make([]byte, 20), "/pcr/eleven"))
	b.raw(0, nil, "ima-ng", b.ngData("sha1", make([]byte, 20), "/pcr/zero"))
	b.violation("/var/log/violation")
	b.raw(10, nil, "mystery", []byte{1, 2})
	b.raw(10, nil, "ima-ng", []byte{1, 2})
	if b.size() == sha1Size {
		b.legacy(bytes.Repeat([]byte{7}, 20), "/legacy name")
		b.legacy(bytes.Repeat([]byte{7}, 20), "")
	}
	b.ng("/last")
	return b
}

func (b *builder) size() int {
	if b.bank == "" {
		return sha1Size
	}
	return b.bank.Size()
}

// TestParseASCII makes binary records of the kernel's text, to the byte.
func TestParseASCII(t *testing.T) {
	data, err := os.ReadFile("testdata/ppc64le-three-kernels.bin")
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string][]byte{"captured": data}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, bank := range []pcr.Algorithm{"", pcr.SHA256, pcr.SHA384, pcr.SHA512} {
			lists[fmt.Sprint(order, bank)] = manyTemplates(order, bank).data
			padded := &builder{order: order, bank: bank, padded: true}
			padded.ng("boot_aggregate")
			padded.ng("/two\nlines")
			lists[fmt.Sprint(order, bank, "padded")] = padded.data
		}
	}
	for name, data := range lists {
		t.Run(name, func(t *testing.T) {
			want, err := ParseAny(data)
			if err != nil {
				t.Fatal(err)
			}
			text := asciiOf(t, want)
			got, doubts, err := ParseASCII(text)
			if err != nil || len(doubts) > 0 {
				t.Fatal(doubts, err)
			}
			if !bytes.Equal(got.Bytes(), data) {
				next := got.All
				for r := range want.All {
					for g := range next {
						if g.Number == r.Number && !bytes.Equal(g.Raw, r.Raw) {
							t.Fatalf("record %d of template %s: %q\nwant %q", r.Number, r.Name, g.Raw, r.Raw)
						}
					}
				}
				t.Fatalf("%d records, want %d", got.Records(), want.Records())
			}
			if again := asciiOf(t, got); !bytes.Equal(again, text) {
				t.Error("printed again, the text differs")
			}
		})
	}
}

// TestChangedText: what people and programs do to the text on its way.
func TestChangedText(t *testing.T) {
	b := twoHops(binary.BigEndian)
	b.raw(10, nil, "ima-sig", slices.Concat(b.ngData("sha256", make([]byte, 32), "/with a blank"), b.field(nil)))
	b.ng("/last")
	want := mustParse(t, b.data)
	text := string(asciiOf(t, want))
	for name, changed := range map[string]string{
		"line ends of DOS":       strings.ReplaceAll(text, "\n", "\r\n"),
		"no blanks at the end":   strings.ReplaceAll(text, " \n", "\n"),
		"no line end at the end": strings.TrimSuffix(text, "\n"),
		"empty lines at the end": text + "\n\n \n",
	} {
		got, doubts, err := ParseASCII([]byte(changed))
		if err != nil || !bytes.Equal(got.Bytes(), b.data) || len(doubts) > 0 {
			t.Errorf("%s: %v, %v", name, doubts, err)
		}
	}
}

// TestDoubts: the text says where it proves nothing, and what it cannot hold.
func TestDoubts(t *testing.T) {
	b := twoHops(binary.LittleEndian)
	b.violation("/two\nlines")
	b.violation("/a blank")
	violations := mustParse(t, b.data)
	_, doubts, err := ParseASCII(asciiOf(t, violations))
	if diff := cmp.Diff([]Doubt{{doubtViolation, 2, 10}}, doubts); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}

	sm3 := &builder{order: binary.LittleEndian, bank: pcr.SHA256}
	for i, name := range []string{"boot_aggregate", "/a", "/b\nc"} {
		sm3.raw(10, bytes.Repeat([]byte{0x5a}, 32), "ima-ng", sm3.ngData("sha256", []byte{byte(i)}, name))
	}
	l, err := ParseAny(sm3.data)
	if err != nil {
		t.Fatal(err)
	}
	got, doubts, err := ParseASCII(asciiOf(t, l))
	if diff := cmp.Diff([]Doubt{{doubtHash, 3, 1}}, doubts); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	} else if !bytes.Equal(got.Bytes(), sm3.data) {
		t.Error("the list differs")
	}
}

// patchedASCII prints records of a patched kernel's template, "dep" NUL-ended,
// digest, name and signature, as that kernel does.
func patchedASCII(b *builder, names ...string) (text string) {
	for i, name := range names {
		sum := pcr.SHA256.Sum([]byte(name))
		fields := [][]byte{[]byte("deps:/usr\x00"), append([]byte("sha256:\x00"), sum...), []byte(name + "\x00"), bytes.Repeat([]byte{3}, i)}
		var data []byte
		for _, f := range fields {
			data = append(data, b.field(f)...)
		}
		b.raw(10, nil, "ima-dep-cgn", data)
		text += fmt.Sprintf("10 %x ima-dep-cgn deps:/usr sha256:%x %s %x\n", pcr.SHA1.Sum(data), sum, name, fields[3])
	}
	return text
}

// TestPatchedTemplate: fields of an unknown template are guessed, and the digest
// says when that is right.
func TestPatchedTemplate(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := &builder{order: order}
		text := patchedASCII(b, "boot_aggregate", "/init", "/cafe", "/x")
		b.raw(10, make([]byte, 20), "ima-dep-cgn", slices.Concat(b.field([]byte("deps\x00")), b.field(append([]byte("sha256:\x00"), make([]byte, 32)...)), b.field([]byte("/v\x00")), b.field(nil)))
		text += fmt.Sprintf("10 %040d ima-dep-cgn deps sha256:%064d /v \n", 0, 0)
		got, doubts, err := ParseASCII([]byte(text))
		if err != nil || !bytes.Equal(got.Bytes(), b.data) {
			t.Errorf("%v: %v", order, err)
		}
		if diff := cmp.Diff([]Doubt{{doubtViolation, 1, 5}}, doubts); diff != "" {
			t.Error(diff)
		}
		_, _, err = ParseASCII([]byte(strings.Replace(text, "/cafe", "/cofe", 1)))
		if err == nil || !strings.Contains(err.Error(), "record 3 at offset") || !strings.Contains(err.Error(), "does not tell its data") {
			t.Errorf("error %v", err)
		}
	}
}

// TestTamperedText: a digest that confirms nothing is found by Check, at its
// record.
func TestTamperedText(t *testing.T) {
	text := asciiOf(t, mustParse(t, twoHops(binary.BigEndian).data))
	for _, name := range []string{"boot_aggregate", "first3", "second"} {
		at := bytes.Index(text, []byte(name))
		changed := bytes.Clone(text)
		changed[at] ^= 1
		l, doubts, err := ParseASCII(changed)
		if err != nil || len(doubts) > 0 {
			t.Fatal(doubts, err)
		}
		want := 1 + bytes.Count(text[:at], []byte("\n"))
		if r := Check(l, 10, nil); r.Tampered != want || r.Records != 9 || l.ByteOrder() != binary.BigEndian {
			t.Errorf("%s: tampered at record %d of %d, want %d", name, r.Tampered, r.Records, want)
		}
	}
}

// TestBadText: errors name record and offset.
func TestBadText(t *testing.T) {
	text := string(asciiOf(t, mustParse(t, twoHops(binary.LittleEndian).data)))
	line, _, _ := strings.Cut(text, "\n")
	digest := strings.Repeat("ab", 20)
	for _, tt := range []struct{ text, want string }{
		{text[:len(text)-8], "record 9 at offset 1092: list is cut short: the text ends within the record"},
		{text[:len(text)-120], "record 9 at offset 1092: list is cut short: the text ends within a record"},
		{"99 " + digest + " ima-ng sha1:00 /x\n", "record 1 at offset 0: list is corrupt: PCR index 99"},
		{line + "\n10 " + digest + " ima-dep-cgn deps sha1:00 /x\n", `record 2 at offset 138: list is corrupt: template "ima-dep-cgn" has an unknown field "ima-dep-cgn": the text form does not tell its data`},
		{line + "\n10 " + digest + " ima-ng sha1:xx /x\n", `list is corrupt: the line does not fit the template "ima-ng"`},
		{line + "\n10 " + digest + " ima " + digest + "00 /x\n", `the line does not fit the template "ima"`},
		{line + "\n10 " + digest + "ab ima-ng sha1:00 /x\n10 " + digest + " ima-ng sha1: /x\n", "record 2"},
		{"text", "record 1 at offset 0: list is cut short"},
		{"text\n", `record 1 at offset 0: list is corrupt: the line is no record: "text"`},
		{"10 " + strings.Repeat("a", 39) + " ima-ng sha1:00 /x\n", "template digest"},
		{"10 " + digest + " " + strings.Repeat("n", 300) + " sha1:00 /x\n", "template name of 300 bytes"},
		{"10 " + digest + " imode 65536x\n", "does not fit"},
		{strings.Repeat("10 "+digest+" ima-ng sha1:00 /x\n", 3), "record 1 at offset 0: list is corrupt: in no record does the template digest fit the text"},
	} {
		_, _, err := ParseASCII([]byte(tt.text))
		var at *RecordError
		if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.As(err, &at) || refusal.Of(err) != refusal.DamagedList {
			t.Errorf("%.80q: error %v, want %q", tt.text, err, tt.want)
		}
	}
}

// FuzzParseASCII: what comes of a text is a list that prints as the text says,
// and reading that again gives the same list.
func FuzzParseASCII(f *testing.F) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		f.Add(asciiOf(f, mustParse(f, twoHops(order).data)))
		// Small seeds, or else the fuzzer is busy making them smaller.
		for r := range mustParse(f, manyTemplates(order, "").data).All {
			if len(r.Raw) < 512 {
				f.Add([]byte(r.ASCII() + "\n"))
			}
		}
	}
	f.Add([]byte(patchedASCII(&builder{order: binary.LittleEndian}, "boot_aggregate", "/x")))
	f.Add([]byte("10 " + strings.Repeat("00", 32) + " ima-ng sha1:00 /x\n"))
	f.Add([]byte("00 00000000000000000000000000000001 000000 "))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, doubts, err := ParseASCII(text)
		if err != nil {
			var at *RecordError
			if !errors.As(err, &at) || at.Offset > len(text) {
				t.Errorf("error %v", err)
			}
			return
		}
		if len(text) < 1<<16 && len(l.Bytes()) > 64*len(text)+64 {
			t.Errorf("%d bytes of %d", len(l.Bytes()), len(text))
		}
		if len(doubts) > 0 || Check(l, 10, nil).Tampered > 0 {
			return
		}
		again, _, err := ParseASCII(asciiOf(t, l))
		if err != nil || !bytes.Equal(again.Bytes(), l.Bytes()) {
			t.Errorf("read again: %v", err)
		}
	})
}
