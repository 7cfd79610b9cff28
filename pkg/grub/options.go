// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"slices"
	"strings"
)

// An option is one of a command's.
type option struct {
	long  string
	short byte
	takes takes
}

type takes uint8

const (
	nothing takes = iota
	something
	perhaps // a text that may be missing
)

// options are those that were given, with their texts.
type options map[string][]string

func (o options) has(name string) bool { return len(o[name]) > 0 }

// last is an option's last text, or empty.
func (o options) last(name string) string {
	if texts := o[name]; len(texts) > 0 {
		return texts[len(texts)-1]
	}
	return ""
}

// parseOptions separates options from arguments, among which they may stand.
// What begins as an option, but is none, is an argument. A text that is its
// own word follows even an option that may have none, if it has no dash.
func parseOptions(known []option, args []string) (given options, rest []string, ok bool) {
	given = options{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return given, append(rest, args[i+1:]...), true
		}
		name, text, hasText := strings.Cut(arg, "=")
		isLong := strings.HasPrefix(arg, "--")
		at := slices.IndexFunc(known, func(o option) bool {
			if isLong {
				return name == "--"+o.long
			}
			return o.short != 0 && arg == "-"+string(o.short)
		})
		if at < 0 {
			rest = append(rest, arg)
			continue
		}
		o := known[at]
		if o.takes != nothing && !hasText && i+1 < len(args) && (o.takes == something || !isDashed(args[i+1])) {
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

func isDashed(s string) bool { return len(s) > 1 && s[0] == '-' }
