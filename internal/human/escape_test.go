// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package human

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"testing"
)

func TestPrintable(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{`Debian "12" C:\x é € 日本 ` + "\U0001f427", `Debian "12" C:\x é € 日本 ` + "\U0001f427"},
		{"\x1b[2J\x1b]0;x\a", `\x1b[2J\x1b]0;x\a`},
		{"a\rb\bc\nd\te\x00\x7f", `a\rb\bc\nd\te\x00\x7f`},
		{"\u0085\u009b2J\u009d", `\u0085\u009b2J\u009d`},
		{"\x9b2J \xff \xe2\x82", `\x9b2J \xff \xe2\x82`},
		{"\u202egpj.exe\u202c \u2066x\u2069 \u200f \u061c", `\u202egpj.exe\u202c \u2066x\u2069 \u200f \u061c`},
		{"\u2028\u2029\u00a0\u200b\ufeff", `\u2028\u2029\u00a0\u200b\ufeff`},
		{"\U000e0041", `\U000e0041`},
		{"\ufffd", "\ufffd"},
	} {
		if got := Printable(tt.text); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestWriter(t *testing.T) {
	var b bytes.Buffer
	n, err := io.WriteString(Writer{&b}, "a\x1b[2J\nb\xff\n\n")
	if n != 10 || err != nil || b.String() != "a\\x1b[2J\nb\\xff\n\n" {
		t.Errorf("%d, %v: %q", n, err, b.String())
	}
}

func TestIsTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	zero, err := os.OpenFile("/dev/zero", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	if IsTerminal(f) || IsTerminal(&bytes.Buffer{}) || IsTerminal(null) || !IsTerminal(zero) {
		t.Error("a file, a buffer or a device")
	}
}

// FuzzPrintable: only printable characters leave, printable text is not changed,
// and JSON means the same as before.
func FuzzPrintable(f *testing.F) {
	f.Add("\x1b[2J\u009b\u202e\xff\U0001f427\U000e0041\n\t\"\\<>&")
	f.Fuzz(func(t *testing.T, s string) {
		got := Printable(s)
		b, err := JSON(map[string]string{s: s})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range got + string(bytes.ReplaceAll(b, []byte("\n"), nil)) {
			if !strconv.IsPrint(c) {
				t.Fatalf("%q leaves of %q", c, s)
			}
		}
		if Printable(got) != got {
			t.Fatalf("%q is escaped twice", got)
		}
		plain, err := json.Marshal(map[string]string{s: s})
		if err != nil {
			t.Fatal(err)
		}
		var want, is map[string]string
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &is); err != nil {
			t.Fatal(err)
		}
		for k, v := range want {
			if is[k] != v {
				t.Fatalf("JSON of %q means %q", s, is)
			}
		}
	})
}
