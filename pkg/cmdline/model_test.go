// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package cmdline

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The functions whose names begin with kernel are a model of what the kernel
// does: they walk over bytes that end with a NUL, as its code does, and use none
// of this package.

// kernelByte is the byte at an index; the line ends with a NUL.
func kernelByte(line []byte, i int) byte {
	if i < len(line) {
		return line[i]
	}
	return 0
}

func kernelSpace(c byte) bool { return c == ' ' || 9 <= c && c <= 13 || c == 160 }

// A kernelWord is what next_arg of lib/cmdline.c finds. value is nil without an =
// sign.
type kernelWord struct{ name, value []byte }

// kernelNext takes the first word off a line. It blanks a quote by the NUL that
// then ends the text, as the kernel does.
func kernelNext(line []byte) (w kernelWord, rest []byte) {
	whole := kernelByte(line, 0) == '"'
	if whole {
		line = line[1:]
	}
	inside, equals, n := whole, 0, 0
	for ; kernelByte(line, n) != 0; n++ {
		c := line[n]
		if !inside && kernelSpace(c) {
			break
		}
		if c == '=' && equals == 0 {
			equals = n
		}
		if c == '"' {
			inside = !inside
		}
	}
	text := bytes.Clone(line[:n])
	closing := func() bool { return n > 0 && text[n-1] == '"' }
	start := equals + 1
	if equals > 0 && start < n && text[start] == '"' {
		last := closing()
		start++
		if last {
			text[n-1] = 0
		}
	}
	if whole && closing() {
		text[n-1] = 0
	}
	end := func(b []byte) []byte { b, _, _ = bytes.Cut(b, []byte{0}); return b }
	w.name = end(text)
	if equals > 0 {
		w.name, w.value = text[:equals], append([]byte{}, end(text[min(start, n):])...)
	}
	for kernelSpace(kernelByte(line, n)) {
		n++
	}
	return w, line[n:]
}

// kernelParse calls f for every parameter, as parse_args of kernel/params.c does.
func kernelParse(line string, f func(kernelWord)) {
	rest, _, _ := bytes.Cut([]byte(line), []byte{0})
	for kernelSpace(kernelByte(rest, 0)) {
		rest = rest[1:]
	}
	for len(rest) > 0 {
		var w kernelWord
		w, rest = kernelNext(rest)
		if w.value == nil && string(w.name) == "--" {
			return
		}
		f(w)
	}
}

func kernelEqual(a, b string) bool {
	return strings.Map(underscore, a) == strings.Map(underscore, b)
}

func underscore(r rune) rune {
	if r == '-' {
		return '_'
	}
	return r
}

// kernelParams are the parameters as texts.
func kernelParams(line string) (out []string) {
	kernelParse(line, func(w kernelWord) {
		if w.value != nil {
			out = append(out, string(w.name)+"="+string(w.value))
		} else {
			out = append(out, string(w.name))
		}
	})
	return out
}

// kernelNumber is memparse at an index of a text that ends with a NUL.
func kernelNumber(s []byte, at int) (n uint64, next int) {
	digit := func(c byte) uint64 {
		switch {
		case '0' <= c && c <= '9':
			return uint64(c - '0')
		case 'a' <= c|32 && c|32 <= 'f':
			return uint64(c|32-'a') + 10
		}
		return math.MaxUint64
	}
	base, i := uint64(10), at
	if kernelByte(s, at) == '0' {
		base = 8
		if kernelByte(s, at+1)|32 == 'x' && digit(kernelByte(s, at+2)) < 16 {
			base, i = 16, at+2
		}
	}
	for ; digit(kernelByte(s, i)) < base; i++ {
		n = n*base + digit(s[i])
	}
	power := strings.IndexByte("kmgtpe", kernelByte(s, i)|32) + 1
	if i == at || kernelByte(s, i) < 'A' || power == 0 {
		return n, i
	}
	for range power * 10 {
		if n > math.MaxUint64/2 {
			return math.MaxUint64, i + 1
		}
		n *= 2
	}
	return n, i + 1
}

// kernelCrash is parse_crashkernel of kernel/crash_reserve.c without low and high
// memory.
func kernelCrash(text string, total uint64) (size, base uint64) {
	line, _, _ := bytes.Cut([]byte(text), []byte{0})
	found := -1
	for i := range line {
		if !bytes.HasPrefix(line[i:], []byte("crashkernel=")) {
			continue
		}
		end := i
		for kernelByte(line, end) != 0 && line[end] != ' ' {
			end++
		}
		other := false
		for _, kind := range []string{",high", ",low", ",cma"} {
			other = other || bytes.HasSuffix(line[:end], []byte(kind))
		}
		if !other {
			found = i + len("crashkernel=")
		}
	}
	if found < 0 {
		return 0, 0
	}
	line = line[found:]
	colon, space := bytes.IndexByte(line, ':'), bytes.IndexByte(line, ' ')
	ok := false
	if colon >= 0 && (space < 0 || colon < space) {
		size, base, ok = kernelCrashRanges(line, total)
	} else {
		var i int
		size, i = kernelNumber(line, 0)
		c := kernelByte(line, i)
		ok = i > 0 && (c == '@' || c == ' ' || c == 0)
		if c == '@' {
			base, _ = kernelNumber(line, i+1)
		}
	}
	if !ok || size == 0 || size >= total {
		return 0, 0
	}
	return size, base
}

func kernelCrashRanges(line []byte, total uint64) (size, base uint64, ok bool) {
	for total%(128<<20) != 0 {
		total++
	}
	i := 0
	for {
		start, next := kernelNumber(line, i)
		if next == i || kernelByte(line, next) != '-' {
			return 0, 0, false
		}
		i = next + 1
		end := uint64(math.MaxUint64)
		if kernelByte(line, i) != ':' {
			if end, next = kernelNumber(line, i); next == i || end <= start {
				return 0, 0, false
			}
			i = next
		}
		if kernelByte(line, i) != ':' {
			return 0, 0, false
		}
		n, next := kernelNumber(line, i+1)
		if next == i+1 || n >= total {
			return 0, 0, false
		}
		i = next
		if start <= total && total < end {
			size = n
			break
		}
		if kernelByte(line, i) != ',' {
			break
		}
		i++
	}
	if size == 0 {
		return 0, 0, true
	}
	for c := kernelByte(line, i); c != 0 && c != ' ' && c != '@'; c = kernelByte(line, i) {
		i++
	}
	if kernelByte(line, i) == '@' {
		at, next := kernelNumber(line, i+1)
		return size, at, next > i+1
	}
	return size, 0, true
}

// agree compares the package with the model for one line and one to append.
func agree(t *testing.T, line, appended string) {
	t.Helper()
	want := kernelParams(line)
	if diff := cmp.Diff(want, texts(Params(line))); diff != "" {
		t.Fatalf("%q: %s", line, diff)
	}
	value, setups := "", []string(nil)
	kernelParse(line, func(w kernelWord) {
		if w.value != nil && kernelEqual(string(w.name), "m-m") {
			value = string(w.value)
		}
	})
	for _, s := range want {
		if len(s) >= 4 && kernelEqual(s[:4], "m_m=") {
			setups = append(setups, s[4:])
		}
	}
	if got := Value(line, "m_m"); got != value {
		t.Fatalf("%q: value %q, want %q", line, got, value)
	}
	if diff := cmp.Diff(setups, slices.Collect(Setup(line, "m_m="))); diff != "" {
		t.Fatalf("%q: %s", line, diff)
	}
	for _, total := range []uint64{1 << 30, 4<<30 - 4096, 64 << 30} {
		size, base := kernelCrash(line, total)
		if gotSize, gotBase := CrashKernel(line, total); gotSize != size || gotBase != base {
			t.Fatalf("%q, %d bytes: crash kernel %#x at %#x, want %#x at %#x", line, total, gotSize, gotBase, size, base)
		}
	}
	out, err := Append(line, appended)
	if err != nil {
		return
	}
	if diff := cmp.Diff(append(want, kernelParams(appended)...), kernelParams(out)); diff != "" {
		t.Fatalf("%q and %q: %q: %s", line, appended, out, diff)
	}
}

// pieces make lines that are hard to read.
var pieces = strings.Split(`"| |  |=|-|--| -- |m_m|m-m=|m_m="|a|a="|"a=|b c|"--"|x.|crashkernel=| crashkernel=|"crashkernel=`+
	`|256M|1G|64m|0x10000000|4G-|2G-4G:|:|@|@64M|,|,high|,low|,cma|é|0|010|18446744073709551617`, "|")

func randomLine(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(12) {
		switch p := r.IntN(len(pieces) + 4); p {
		case len(pieces):
			b.WriteString("\t")
		case len(pieces) + 1:
			b.WriteString("\xa0")
		case len(pieces) + 2:
			b.WriteString("\v")
		case len(pieces) + 3:
			if r.IntN(20) == 0 {
				b.WriteByte(0)
			}
		default:
			b.WriteString(pieces[p])
		}
	}
	return b.String()
}

// TestModel compares random lines with the model.
func TestModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		agree(t, randomLine(r), randomLine(r))
	}
}

// FuzzModel compares any line with the model.
func FuzzModel(f *testing.F) {
	f.Add(`a "crashkernel=256M@64M" m-m="x y" -- z`, "lockdown=integrity")
	f.Add(`x="a b`, `m_m=1 -- "init arg"`)
	f.Add("crashkernel=2G-4G:384M,4G-:512M@32M crashkernel=1G,high", "")
	f.Fuzz(agree)
}
