// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
)

// testCommand is test and [.
func testCommand(in *interpreter, c *invocation) (int, error) {
	t := test{in: in, words: c.args}
	if n := len(t.words); n > 0 && t.words[n-1] == "]" {
		t.words = t.words[:n-1]
	}
	return flag(t.evaluate()), nil
}

// A test is the rest of an expression.
type test struct {
	in    *interpreter
	words []string
}

// evaluate evaluates from left to right, up to a closing parenthesis; a word
// that looks like an operator is one. As in GRUB, -a may be omitted. It binds
// less tightly than !, and more tightly than -o.
func (t *test) evaluate() bool {
	or, and, invert := false, true, false
	for len(t.words) > 0 {
		var ok bool
		switch holds, n := t.primary(); {
		case n > 0:
			ok = holds
			t.words = t.words[n:]
		default:
			word := t.words[0]
			t.words = t.words[1:]
			switch word {
			case ")":
				return or || and
			case "!":
				invert = !invert
				continue
			case "-a":
				continue
			case "-o":
				or, and = or || and, true
				continue
			case "(":
				ok = t.evaluate()
			default:
				ok = word != ""
			}
		}
		and = and && ok != invert
		invert = false
	}
	return or || and
}

var comparisons = map[string]func(a, b string) bool{
	"=":    func(a, b string) bool { return a == b },
	"==":   func(a, b string) bool { return a == b },
	"!=":   func(a, b string) bool { return a != b },
	"<":    func(a, b string) bool { return a < b },
	"<=":   func(a, b string) bool { return a <= b },
	">":    func(a, b string) bool { return a > b },
	">=":   func(a, b string) bool { return a >= b },
	"-eq":  func(a, b string) bool { return signed(a) == signed(b) },
	"-ne":  func(a, b string) bool { return signed(a) != signed(b) },
	"-lt":  func(a, b string) bool { return signed(a) < signed(b) },
	"-le":  func(a, b string) bool { return signed(a) <= signed(b) },
	"-gt":  func(a, b string) bool { return signed(a) > signed(b) },
	"-ge":  func(a, b string) bool { return signed(a) >= signed(b) },
	"-pgt": func(a, b string) bool { return unlike(a, b) > 0 },
	"-plt": func(a, b string) bool { return unlike(a, b) < 0 },
	// Comparisons of times are not implemented: no default depends on them.
	"-nt": never, "-ot": never,
}

func never(_, _ string) bool { return false }

// unlike compares the numbers, without their signs, behind the longest common
// beginning, even if that ends in the middle of a number.
func unlike(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	first, _, _ := number(a[i:])
	second, _, _ := number(b[i:])
	return cmp.Compare(first, second)
}

// primary evaluates an operator with its operands, and returns the number of
// words that it took; 0 if the next word belongs to no operator.
func (t *test) primary() (bool, int) {
	if len(t.words) > 2 {
		if holds := comparisons[t.words[1]]; holds != nil {
			return holds(t.words[0], t.words[2]), 3
		}
	}
	if len(t.words) < 2 {
		return false, 0
	}
	operand := t.words[1]
	switch t.words[0] {
	case "-n":
		return operand != "", 2
	case "-z":
		return operand == "", 2
	case "-e", "-d", "-f", "-s":
		info := t.in.stat(operand)
		if info == nil {
			return false, 2
		}
		_, isFile := t.in.file(operand)
		is := map[string]bool{
			"-e": true, "-d": info.IsDir(), "-f": !info.IsDir(), "-s": isFile && !info.IsDir() && info.Size() > 0,
		}
		return is[t.words[0]], 2
	}
	return false, 0
}

// stat returns nil for a file that does not exist. Unlike other commands, test
// (except its -s) accepts names in the root directory without the leading
// slash, and a device or an empty name for that directory.
func (in *interpreter) stat(name string) os.FileInfo {
	device, file := "", strings.TrimRight(name, "/")
	if n := strings.IndexByte(file, ')') + 1; n > 0 && file[0] == '(' {
		device, file = file[:n], file[n:]
	}
	if file == "" && device != "" && in.volume(device[1:len(device)-1]) == nil {
		return nil
	}
	if !strings.Contains(file, "/") {
		file = "/" + file
	}
	f, ok := in.file(device + file)
	if !ok || !in.affords() {
		return nil
	}
	at, err := f.Volume.Resolve(f.Name)
	if err != nil {
		return nil
	}
	info, err := os.Lstat(filepath.Join(f.Volume.Dir(), at))
	if err != nil {
		return nil
	}
	return info
}

// signed returns the number at the beginning of a text, or 0.
func signed(s string) int64 {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		n, _, _ := number(rest)
		return -n
	}
	n, _, _ := number(s)
	return n
}

// number reads the digits at the beginning of a text as C does: 0x and 0 begin
// other bases. A number that is too large becomes the largest one.
func number(s string) (n int64, rest string, ok bool) {
	const most = 1<<31 - 1
	s = strings.TrimLeft(s, " \t\n")
	base := int64(10)
	if hex, isHex := strings.CutPrefix(s, "0x"); isHex {
		base, s = 16, hex
	} else if len(s) > 1 && s[0] == '0' && '0' <= s[1] && s[1] <= '7' {
		base, s = 8, s[1:]
	}
	i := 0
	for ; i < len(s); i++ {
		digit := int64(strings.IndexByte("0123456789abcdef", s[i]|0x20))
		if '0' <= s[i] && s[i] <= '9' {
			digit = int64(s[i] - '0')
		}
		if digit < 0 || digit >= base {
			break
		}
		n = min(n*base+digit, most)
	}
	return n, s[i:], i > 0
}
