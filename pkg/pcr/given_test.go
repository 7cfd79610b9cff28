// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package pcr

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hexOf returns a value of an algorithm, every byte of which is b.
func hexOf(a Algorithm, b byte) string { return strings.Repeat(fmt.Sprintf("%02x", b), a.Size()) }

// pcrread is what tpm2_pcrread prints.
var pcrread = "  sha1:\n    0 : 0x" + strings.ToUpper(hexOf(SHA1, 0xa0)) +
	"\n    10: 0x" + strings.ToUpper(hexOf(SHA1, 0xaa)) +
	"\n  sha256:\n    10: 0x" + strings.ToUpper(hexOf(SHA256, 0xbb)) +
	"\n  sm3_256:\n    10: 0x" + hexOf(SHA256, 0xcc) + "\n  sha384:\n"

// spaced writes digits as TPM 1.2 drivers do.
func spaced(digits string) string {
	var pairs []string
	for i := 0; i < len(digits); i += 2 {
		pairs = append(pairs, strings.ToUpper(digits[i:i+2]))
	}
	return strings.Join(pairs, " ")
}

// show writes values as INDEX:ALG=first byte and the names of unknown banks.
func show(g *Given) string {
	var out []string
	for _, x := range g.Values {
		out = append(out, fmt.Sprintf("%d:%s=%02x", x.Index, x.Algorithm, x.Value.Value[0]))
	}
	for _, name := range g.Unknown {
		out = append(out, "unknown "+name)
	}
	return strings.Join(out, " ")
}

// files are those that arguments of the tests name.
var files = map[string]string{
	"pcrread.txt": pcrread,
	"v3":          "sha256 :\r\n  10 : " + hexOf(SHA256, 0xbb) + "\r\n",
	"quote": "quoted: ff544347\nsignature:\n  alg: rsassa\n  sig: 17aa\npcrs:\n  sha256:\n    10: 0x" + hexOf(SHA256, 0xbb) +
		"\ncalcDigest: " + hexOf(SHA256, 1) + "\n",
	"eventlog": "---\nversion: 1\nevents:\n- EventNum: 0\n  PCRIndex: 0\n  Digests:\n  - AlgorithmId: sha1\n    Digest: \"" + hexOf(SHA1, 9) +
		"\"\n    10: nonsense\npcrs:\n  sha1:\n    0  : 0x" + hexOf(SHA1, 0xa0) + "\n",
	"/sys/class/tpm/tpm0/pcr-sha256/10":   strings.ToUpper(hexOf(SHA256, 0xbb)) + "\n",
	"/sys/class/tpm/tpm0/pcr-sha3-256/10": strings.ToUpper(hexOf(SHA256, 0xbb)) + "\n",
	"/sys/class/tpm/tpm0/pcr-sha256/99":   hexOf(SHA256, 0xbb),
	"/sys/class/tpm/tpm0/device/pcrs":     "PCR-00: " + spaced(hexOf(SHA1, 0xa0)) + " \nPCR-10: " + spaced(hexOf(SHA1, 0xaa)) + " \n",
	"evmctl":                              "PCR-00: " + hexOf(SHA256, 0xb0) + "\nPCR-10: " + spaced(hexOf(SHA256, 0xbb)) + "\n",
	"plain":                               "10: " + hexOf(SHA256, 0xbb) + "\n# a comment\n",
	"twice":                               "10: " + hexOf(SHA256, 0xbb) + "\n10: " + hexOf(SHA256, 0xcc) + "\n",
	"empty":                               "",
	"letter":                              "Dear all,\nno PCR\n",
	"only-sm3":                            "sm3_256:\n  10: " + hexOf(SHA256, 1) + "\n",
	"digits":                              hexOf(SHA384, 0xdd),
	"short":                               "sha1:\n  10: 0x0102\n",
}

func readFile(name string) ([]byte, error) {
	if text, ok := files[name]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

func TestGiven(t *testing.T) {
	s1, s2 := hexOf(SHA1, 0xaa), hexOf(SHA256, 0xbb)
	const whole = "0:sha1=a0 10:sha1=aa 10:sha256=bb unknown sm3_256"
	for _, tt := range []struct {
		args []string
		want string
		err  string
	}{
		{[]string{"sha256=" + s2}, "-1:sha256=bb", ""},
		{[]string{"SHA256:0x" + s2}, "-1:sha256=bb", ""},
		{[]string{"sha1=0X" + strings.ToUpper(s1)}, "-1:sha1=aa", ""},
		{[]string{"sha1=" + spaced(s1)}, "-1:sha1=aa", ""},
		{[]string{"sha1= " + spaced(s1) + " "}, "-1:sha1=aa", ""},
		{[]string{"sha1:" + spaced(s1)}, "-1:sha1=aa", ""},
		{[]string{"11:sha256=" + s2, "sha256=" + s2}, "11:sha256=bb -1:sha256=bb", ""},
		{[]string{"PCR-11:sha256:" + s2}, "11:sha256=bb", ""},
		{[]string{"sha256:11=" + s2}, "11:sha256=bb", ""},
		{[]string{"0:sha1=" + s1 + ",sha256=" + s2}, "0:sha1=aa 0:sha256=bb", ""},
		{[]string{"sha1=" + s1, "sha1=" + s1}, "-1:sha1=aa", ""},
		{[]string{"pcrread.txt"}, whole, ""},
		{[]string{pcrread}, whole, ""},
		{[]string{"sha256,pcrread.txt"}, "10:sha256=bb unknown sm3_256", ""},
		{[]string{"v3"}, "10:sha256=bb", ""},
		{[]string{"quote"}, "10:sha256=bb", ""},
		{[]string{"eventlog"}, "0:sha1=a0", ""},
		{[]string{"/sys/class/tpm/tpm0/pcr-sha256/10"}, "10:sha256=bb", ""},
		{[]string{"sha256,/sys/class/tpm/tpm0/pcr-sha256/10"}, "-1:sha256=bb", ""},
		{[]string{"11:sha256,/sys/class/tpm/tpm0/pcr-sha256/10"}, "11:sha256=bb", ""},
		{[]string{"/sys/class/tpm/tpm0/pcr-sha3-256/10"}, "unknown sha3-256", ""},
		{[]string{"/sys/class/tpm/tpm0/device/pcrs"}, "0:sha1=a0 10:sha1=aa", ""},
		{[]string{"sha1,/sys/class/tpm/tpm0/device/pcrs"}, "0:sha1=a0 10:sha1=aa", ""},
		{[]string{"sha256,evmctl"}, "0:sha256=b0 10:sha256=bb", ""},
		{[]string{"evmctl"}, "0:sha256=b0 10:sha256=bb", ""},
		{[]string{"plain", "sha256=" + s2}, "10:sha256=bb -1:sha256=bb", ""},
		{[]string{"digits"}, "-1:sha384=dd", ""},
		{[]string{"only-sm3"}, "unknown sm3_256", "only banks that cannot be replayed here: sm3_256"},

		{[]string{"sha256=00"}, "", "sha256 has 32 bytes, 1 are given"},
		{[]string{"sha256:00"}, "", "sha256 has 32 bytes, 1 are given"},
		{[]string{"sha256=" + s2 + ",junk"}, "-1:sha256=bb", `"junk" is not ALG=HEX`},
		{[]string{"sm3=" + s2}, "", `algorithm "sm3" is unknown`},
		{[]string{"sm3:" + s2}, "", `algorithm "sm3" is unknown`},
		{[]string{"24:sha1=" + s1}, "", "there is no PCR 24"},
		{[]string{"11:sha1:11=" + s1}, "", "has the number of the register twice"},
		{[]string{"sha1"}, "", `"sha1" is not ALG=HEX, and there is no such file`},
		{[]string{"/none"}, "", "not exist"},
		{[]string{"sha1,/none"}, "", "not exist"},
		{[]string{"/sys/class/tpm/tpm0/pcr-sha256/99"}, "", "there is no PCR 99"},
		{[]string{"sha1=" + s1, "sha1=" + hexOf(SHA1, 1)}, "-1:sha1=aa", "sha1 is given twice"},
		{[]string{"twice"}, "10:sha256=bb", "twice: line 2: bad PCR value: PCR 10 of sha256 is given twice"},
		{[]string{"empty"}, "", "no value of a known bank"},
		{[]string{"letter"}, "", `letter: line 1: bad PCR value: "Dear all," is not the value of a PCR`},
		{[]string{"sha1,evmctl"}, "", "sha1 has 20 bytes, 32 are given"},
		{[]string{"sha256,digits"}, "", "sha256 has 32 bytes, 48 are given"},
		{[]string{"short"}, "", "short: line 2: bad PCR value: sha1 has 20 bytes, 2 are given"},
	} {
		g := &Given{}
		var err error
		for _, arg := range tt.args {
			if err = g.Add(arg, readFile); err != nil {
				break
			}
		}
		if got := show(g); got != tt.want {
			t.Errorf("%q: %s\nwant %s", tt.args, got, tt.want)
		}
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: error %v, want %q", tt.args, err, tt.err)
		}
		if err != nil && !errors.Is(err, ErrValue) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: error %v wraps neither", tt.args, err)
		}
	}
}

// TestResolve: values without a number are those of the register that the list
// names, and must not contradict what was told.
func TestResolve(t *testing.T) {
	g := &Given{}
	for _, arg := range []string{"sha256=" + hexOf(SHA256, 1), "sha1=" + hexOf(SHA1, 2), "11:sha256=" + hexOf(SHA256, 1), "0:sha1=" + hexOf(SHA1, 3)} {
		if err := g.Add(arg, readFile); err != nil {
			t.Fatal(err)
		}
	}
	got, err := g.Resolve(11)
	if err != nil || show(got) != "11:sha256=01 11:sha1=02 0:sha1=03" {
		t.Errorf("%s, %v", show(got), err)
	}
	one, two := Value{SHA1, []byte(strings.Repeat("\x02", 20))}, Value{SHA256, []byte(strings.Repeat("\x01", 32))}
	if diff := cmp.Diff([]Value{one, two}, got.Register(11)); diff != "" {
		t.Error(diff)
	}
	if v, ok := got.Find(0, SHA1); !ok || v[0] != 3 || got.Register(10) != nil {
		t.Errorf("PCR 0: %x", v)
	}
	if err := g.Add("11:sha1="+hexOf(SHA1, 9), readFile); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Resolve(11); err == nil || !strings.Contains(err.Error(), "PCR 11 of sha1 is given twice") {
		t.Errorf("error %v", err)
	}
}

// FuzzGiven: every value that is accepted has the size of its bank and a
// register that exists, and every error says that it is about a value.
func FuzzGiven(f *testing.F) {
	for name, text := range files {
		f.Add(name, []byte(text))
	}
	f.Add("10:sha1="+hexOf(SHA1, 1)+",sha256="+hexOf(SHA256, 2), []byte(pcrread))
	f.Fuzz(func(t *testing.T, arg string, file []byte) {
		g := &Given{}
		if err := g.Add(arg, func(string) ([]byte, error) { return file, nil }); err != nil && !errors.Is(err, ErrValue) {
			t.Errorf("error %v", err)
		}
		for _, x := range g.Values {
			if len(x.Value.Value) != x.Algorithm.Size() || x.Index < NoIndex || x.Index > maxIndex {
				t.Errorf("%+v", x)
			}
		}
	})
}
