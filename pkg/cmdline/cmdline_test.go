// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package cmdline

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValue(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"quiet", ""},
		{"mem=1G", "1G"},
		{"mem=1G mem=2G", "2G"},
		{"mem=1G mem", "1G"},
		{"mem=1G mem=", ""},
		{"mem=1G\x00mem=2G", "1G"},
		{"mem=1G\xa0mem=2G\vmem=3G\f", "3G"},
		{`mem="1 G"`, "1 G"},
		{`"mem=1 G"`, "1 G"},
		{"mem=1G -- mem=2G", "1G"},
		{"xmem=1G memx=1G mem:=1", ""},
		{`x="a mem=1G b"`, ""},
	} {
		if got := Value(tt.line, "mem"); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestSetup(t *testing.T) {
	for _, tt := range []struct {
		line, name string
		want       []string
	}{
		{"ima_policy=tcb ima-policy=critical_data", "ima_policy=", []string{"tcb", "critical_data"}},
		{`ima_policy="tcb critical_data"`, "ima_policy=", []string{"tcb critical_data"}},
		{"ima_canonical_fmt ima-canonical-fmtx=1", "ima_canonical_fmt", []string{"", "x=1"}},
		{"ima_policy", "ima_policy=", nil},
		{"quiet -- ima_canonical_fmt", "ima_canonical_fmt", nil},
	} {
		if diff := cmp.Diff(tt.want, slices.Collect(Setup(tt.line, tt.name))); diff != "" {
			t.Errorf("%q: %s", tt.line, diff)
		}
		if got := HasSetup(tt.line, tt.name); got != (tt.want != nil) {
			t.Errorf("%q has %q: %v", tt.line, tt.name, got)
		}
	}
}

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		in   string
		size uint64
		rest string
		ok   bool
	}{
		{"4096", 4096, "", true},
		{"1K", 1 << 10, "", true},
		{"2m", 2 << 20, "", true},
		{"3G@16M", 3 << 30, "@16M", true},
		{"1T", 1 << 40, "", true},
		{"1P", 1 << 50, "", true},
		{"1e", 1 << 60, "", true},
		{"1KB", 1 << 10, "B", true},
		{"0x1fK", 0x1f << 10, "", true},
		{"0X1E", 0x1e, "", true},
		{"0xg", 0, "xg", true},
		{"0x", 0, "x", true},
		{"010", 8, "", true},
		{"08", 0, "8", true},
		{"0", 0, "", true},
		{"0b1", 0, "b1", true},
		{"18446744073709551615", math.MaxUint64, "", true},
		{"18446744073709551616", 0, "", true},
		{"18446744073709551617K", 1 << 10, "", true},
		{"16E", math.MaxUint64, "", true},
		{"16eB", math.MaxUint64, "B", true},
		{"", 0, "", false},
		{"K", 0, "K", false},
		{"-1", 0, "-1", false},
		{" 1", 0, " 1", false},
	} {
		size, rest, ok := Size(tt.in)
		if size != tt.size || rest != tt.rest || ok != tt.ok {
			t.Errorf("%q: %d, %q, %v", tt.in, size, rest, ok)
		}
	}
}

func TestRemove(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"", ""},
		{" a  b\n", "a  b"},
		{"x=1 a", "a"},
		{"a x=1 b", "a b"},
		{"a  x=1\tb", "a\tb"},
		{"a x", "a"},
		{`a x="1 2" b="3  4"`, `a b="3  4"`},
		{`a "x=1 2" x=2`, "a"},
		{"a xx=1 ax=1", "a xx=1 ax=1"},
		{"a y-z=1 y_z b", "a b"},
		{"a -- x=1 b", "a -- b"},
	} {
		if got := Remove(tt.line, "x", "y_z"); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestSet(t *testing.T) {
	for _, tt := range []struct{ line, value, want string }{
		{"", "1", "x=1"},
		{"quiet x=2 -- x=3 arg", "1", "x=1 quiet -- arg"},
		{"quiet", "a b", `x="a b" quiet`},
	} {
		if got := Set(tt.line, "x", tt.value); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestReuse(t *testing.T) {
	for _, tt := range []struct{ running, appended, want string }{
		{"", "", ""},
		{"", "single", "single"},
		{"quiet -- arg", "single", "quiet single -- arg"},
		{"BOOT_IMAGE=(hd0)/vmlinuz root=/dev/vda2 initrd=a kexec-jump-back-entry=0x1 mine=1", "", "root=/dev/vda2"},
		{"root=/dev/vda2 quiet", "single", "root=/dev/vda2 quiet single"},
		{`dyndbg="file a +p"`, `x="1 2"`, `dyndbg="file a +p" x="1 2"`},
	} {
		got, err := Reuse(tt.running, tt.appended, "mine")
		if err != nil || got != tt.want {
			t.Errorf("%q and %q: %q, %v, want %q", tt.running, tt.appended, got, err, tt.want)
		}
	}
}

// FuzzLine: the words are all that is not white space, and an edit changes
// nothing but the parameter that it names.
func FuzzLine(f *testing.F) {
	for _, s := range []string{
		"BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro  quiet\n", `a="b c" "d=e f" -- g`, `x="`, `" x="1`, "=x=1\xa0x", `x=1"2 3" x`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		end, all := 0, []string(nil)
		line, _, _ = strings.Cut(line, "\x00")
		for at, w := range words(line) {
			if trimRight(line[end:at]) != "" || w.Text == "" || line[at:at+len(w.Text)] != w.Text {
				t.Fatalf("word %q at %d", w.Text, at)
			}
			end = at + len(w.Text)
			if !w.Is("x") {
				all = append(all, w.Text)
			}
		}
		if trimRight(line[end:]) != "" {
			t.Fatalf("%q is left", line[end:])
		}
		var left []string
		removed := Remove(line, "x")
		for w := range Words(removed) {
			left = append(left, w.Text)
		}
		if diff := cmp.Diff(all, left); diff != "" {
			t.Fatalf("removed: %q: %s", removed, diff)
		}
		const value = "0123 4567"
		if got := Value(Set(line, "x", value), "x"); got != value {
			t.Fatalf("set: %q", got)
		}
		if diff := cmp.Diff(texts(Words(line)), texts(Words(Tidy(line)))); diff != "" {
			t.Fatalf("tidied: %s", diff)
		}
		if s := Set(line, "x", value); Set(s, "x", value) != s {
			t.Fatalf("set twice: %q", s)
		}
	})
}

func TestTidy(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"", ""},
		{" \t a  b\t\tc \t", "a b c"},
		{`a  dyndbg="file a  +p"  "b  c"`, `a dyndbg="file a  +p" "b  c"`},
		{"voil\u00e0  b", "voil\u00e0  b"},
		{"a  b\x00 c", "a b\x00 c"},
		{"a\n b", "a\n b"},
		{`x="a  `, `x="a  `},
	} {
		got := Tidy(tt.line)
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
		if diff := cmp.Diff(texts(Words(tt.line)), texts(Words(got))); diff != "" {
			t.Errorf("%q: %s", tt.line, diff)
		}
	}
}

func TestLastSetup(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"quiet", ""},
		{"root=/dev/a root", "/dev/a"},
		{`root=/dev/a "root=/dev/b c" -- root=/dev/d`, "/dev/b c"},
	} {
		if got := LastSetup(tt.line, "root="); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
}

func FuzzSize(f *testing.F) {
	f.Add("0x1e000000K@1G")
	f.Fuzz(func(t *testing.T, s string) {
		if size, rest, ok := Size(s); !ok && (size != 0 || rest != s) || !strings.HasSuffix(s, rest) {
			t.Errorf("%d, %q, %v", size, rest, ok)
		}
	})
}
