// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package cmdline

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWords(t *testing.T) {
	flag := func(text, name string) Word { return Word{Text: text, Name: name} }
	set := func(text, name, value string) Word { return Word{text, name, value, true} }
	for _, tt := range []struct {
		name, line string
		want       []Word
	}{
		{"nothing", " \t\n\v\f\r", nil},
		{"flags and values", " quiet\troot=/dev/vda2  ro\n", []Word{flag("quiet", "quiet"), set("root=/dev/vda2", "root", "/dev/vda2"), flag("ro", "ro")}},
		{"empty value", "a= b", []Word{set("a=", "a", ""), flag("b", "b")}},
		{"value with =", "root=UUID=1-2", []Word{set("root=UUID=1-2", "root", "UUID=1-2")}},
		{"quoted value", `dyndbg="file a +p" b`, []Word{set(`dyndbg="file a +p"`, "dyndbg", "file a +p"), flag("b", "b")}},
		{"quoted word", `"dyndbg=file a +p" b`, []Word{set(`"dyndbg=file a +p"`, "dyndbg", "file a +p"), flag("b", "b")}},
		{"quoted word with a quoted value", `"a="b c""`, []Word{set(`"a="b`, "a", "b"), flag(`c""`, `c""`)}},
		{"quoted flag", `"a b" c`, []Word{flag(`"a b"`, "a b"), flag("c", "c")}},
		{"quotes inside stay", `a=b" "c"d`, []Word{set(`a=b" "c"d`, "a", `b" "c"d`)}},
		{"quotes in a name stay", `a" "b=c`, []Word{set(`a" "b=c`, "a\" \"b", "c")}},
		{"quote at the end only", `a=b"`, []Word{set(`a=b"`, "a", `b"`)}},
		{"quoted start of a value", `a="b"c`, []Word{set(`a="b"c`, "a", `b"c`)}},
		{"open quote", `a="b c`, []Word{set(`a="b c`, "a", "b c")}},
		{"lone quotes", `" `, []Word{flag(`" `, " ")}},
		{"a quote as value", `a="`, []Word{set(`a="`, "a", "")}},
		{"pair of quotes", `"" a=""`, []Word{flag(`""`, ""), set(`a=""`, "a", "")}},
		{"single quotes mean nothing", "a='b c'", []Word{set("a='b", "a", "'b"), flag("c'", "c'")}},
		{"no escapes", `a=\"b c\"`, []Word{set(`a=\"b c\"`, "a", `\"b c\"`)}},
		{"= comes first", "=a =b=c =", []Word{flag("=a", "=a"), set("=b=c", "=b", "c"), flag("=", "=")}},
		{"blank of Latin-1", "a\xa0b", []Word{flag("a", "a"), flag("b", "b")}},
		{"end", "a -- b=c", []Word{flag("a", "a"), flag("--", "--"), set("b=c", "b", "c")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, slices.Collect(Words(tt.line))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParams(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"a b=c", []string{"a", "b=c"}},
		{"a -- b", []string{"a"}},
		{`a "--" b`, []string{"a"}},
		{"a --b --=c d", []string{"a", "--b", "--=c", "d"}},
		{`a "--" -- b="c d"`, []string{"a"}},
		{`"a=b c" d="e f"`, []string{"a=b c", "d=e f"}},
	} {
		var got []string
		for w := range Params(tt.line) {
			got = append(got, w.String())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: %s", tt.line, diff)
		}
	}
}

func TestIs(t *testing.T) {
	for _, tt := range []struct {
		line, name string
		want       bool
	}{
		{"log-buf-len=1M", "log_buf_len", true},
		{"log_buf_len=1M", "log-buf-len", true},
		{"log_buf=1M", "log_buf_len", false},
		{"Mem=1G", "mem", false},
	} {
		for w := range Words(tt.line) {
			if got := w.Is(tt.name); got != tt.want {
				t.Errorf("%q is %q: %v", tt.line, tt.name, got)
			}
		}
	}
}
