// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
)

var regexpOptions = []option{{"set", 's', something}}

// regexpCommand is regexp [--set [NUMBER:]VARIABLE]... EXPRESSION TEXT
// (grub.info, "regexp"), with POSIX's extended expressions.
func regexpCommand(in *interpreter, c *invocation) (int, error) {
	given, rest, ok := parseStrictly(regexpOptions, c.args)
	if !ok || len(rest) != 2 {
		return 1, nil
	}
	expression, text := rest[0], rest[1]
	const cost = 16 // of compiling one byte; matching that many bytes costs 1
	if err := in.spend(c.at, len(expression)*cost); err != nil {
		return 1, err
	}
	tree, err := syntax.Parse(expression, syntax.POSIX)
	if err != nil {
		in.notef(c.at, "regexp: %s is not understood", printable(expression))
		return 1, nil
	}
	size := repeated(tree)
	if err := in.spend(c.at, size*cost); err != nil {
		return 1, err
	}
	re, err := regexp.CompilePOSIX(expression)
	if err != nil {
		return 1, nil
	}
	if err := in.spend(c.at, size*(re.NumSubexp()+1)*len(text)/cost); err != nil {
		return 1, err
	}
	groups := re.FindStringSubmatch(text)
	if groups == nil {
		return 1, nil
	}
	for _, s := range given["set"] {
		n := 1
		if number, name, ok := strings.Cut(s, ":"); ok {
			if n, err = strconv.Atoi(number); err != nil {
				return 1, nil
			}
			s = name
		}
		if 0 <= n && n < len(groups) {
			in.set(s, groups[n])
		} else {
			in.environment.unset(s)
		}
	}
	return 0, nil
}

// repeated returns how long an expression is with all of its repetitions
// written out.
func repeated(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += repeated(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1) // Max is -1 if there is no limit
	}
	return min(n, maxWork)
}
