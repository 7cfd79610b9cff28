// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"slices"
	"strings"
)

// An option of a command.
type option struct {
	long  string
	short byte
	takes takes
}

type takes uint8

const (
	nothing takes = iota
	something
	perhaps // with an optional value
)

// options are the options that were given, with their values.
type options map[string][]string

func (o options) has(name string) bool { return len(o[name]) > 0 }

// last returns an option's last value, which may be empty.
func (o options) last(name string) string {
	if texts := o[name]; len(texts) > 0 {
		return texts[len(texts)-1]
	}
	return ""
}

// parseOptions separates options from arguments, in any order. An unknown
// option is an argument. The next word is the value even of an option whose
// value is optional, if that word does not begin with a dash.
func parseOptions(known []option, args []string) (given options, rest []string, ok bool) {
	given = options{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return given, append(rest, args[i+1:]...), true
		}
		o, first, ok := optionOf(known, arg)
		if !ok {
			rest = append(rest, arg)
			continue
		}
		for _, o := range first {
			given[o.long] = append(given[o.long], "")
		}
		_, text, hasText := strings.Cut(arg, "=")
		if o.takes != nothing && !hasText && i+1 < len(args) && !isDashed(args[i+1]) {
			i++
			text, hasText = args[i], true
		}
		if o.takes == something && !hasText || o.takes == nothing && hasText {
			return nil, nil, false
		}
		given[o.long] = append(given[o.long], text)
	}
	return given, rest, true
}

// parseStrictly is parseOptions for commands that refuse unknown options.
func parseStrictly(known []option, args []string) (given options, rest []string, ok bool) {
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if _, _, ok := optionOf(known, arg); !ok && isDashed(arg) && arg != "-" {
			return nil, nil, false
		}
	}
	return parseOptions(known, args)
}

func isDashed(s string) bool { return strings.HasPrefix(s, "-") }

// optionOf finds the option that a word gives: --LONG, --LONG=TEXT or -S.
// Several short options may be in one word; first are those before the last,
// which have no value.
func optionOf(known []option, arg string) (o option, first []option, ok bool) {
	if name, isLong := strings.CutPrefix(arg, "--"); isLong {
		name, _, _ = strings.Cut(name, "=")
		i := slices.IndexFunc(known, func(o option) bool { return o.long == name })
		if i < 0 {
			return o, nil, false
		}
		return known[i], nil, true
	}
	letters, isShort := strings.CutPrefix(arg, "-")
	if !isShort || letters == "" {
		return o, nil, false
	}
	for _, letter := range []byte(letters) {
		i := slices.IndexFunc(known, func(o option) bool { return o.short == letter })
		if letter == 0 || i < 0 {
			return o, nil, false
		}
		first = append(first, known[i])
	}
	last := len(first) - 1
	if slices.ContainsFunc(first[:last], func(o option) bool { return o.takes == something }) {
		return o, nil, false
	}
	return first[last], first[:last], true
}
