// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package flags

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/cmdline"
)

// Settings sets flags from elsewhere than the arguments. Later calls win over
// earlier ones, and arguments over all.
type Settings struct {
	Flags *flag.FlagSet
	// Names are the flags that may be set.
	Names []string
	// Strictest has the flags that protect, each with the value that protects
	// most, or "" if there is none.
	Strictest map[string]string
	// Given are the flags that arguments have set.
	Given map[string]bool
}

// NewSettings returns settings for flags that are parsed already.
func NewSettings(f *flag.FlagSet, names []string, strictest map[string]string) *Settings {
	s := &Settings{f, names, strictest, map[string]bool{}}
	f.Visit(func(x *flag.Flag) { s.Given[x.Name] = true })
	return s
}

// File sets flags from a text with NAME=VALUE, or the NAME of a flag that needs no
// value, on each line. It stops at the first mistake.
func (s *Settings) File(text string) error {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if err := s.set(strings.TrimSpace(name), value, ok); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return nil
}

// CommandLine sets flags from a kernel's command line, where they are parameters
// with the prefix. Their names may be in either case, with - or _. Names in other
// are parameters that are no flags.
//
// A machine that cannot be reached must boot: mistakes are passed over, and told
// to log. But no flag that protects is: if its value is not understood, or if two
// values differ, it takes the strictest. Only if it has none the mistake is an
// error.
func (s *Settings) CommandLine(line, prefix string, log func(format string, args ...any), other ...string) error {
	seen := map[string]string{}
	for w := range cmdline.Params(line) {
		name, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(w.Name)), "_", "-"), prefix)
		if !ok || slices.Contains(other, name) {
			continue
		}
		err := s.set(name, w.Value, w.HasValue)
		strictest, protects := s.Strictest[name]
		x := s.Flags.Lookup(name)
		if !protects || x == nil || s.Given[name] {
			if err != nil {
				log("kernel's command line: %v: passed over", err)
			}
			continue
		}
		if before, again := seen[name]; again && err == nil && before != x.Value.String() {
			err = fmt.Errorf("%s: it has two values, %q and %q", name, before, x.Value)
		}
		if err != nil && strictest == "" {
			return fmt.Errorf("kernel's command line: %w", err)
		}
		if err != nil {
			log("kernel's command line: %v: taken as %s=%s", err, name, strictest)
			if err := x.Value.Set(strictest); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		seen[name] = x.Value.String()
	}
	return nil
}

var errNoValue = errors.New("it needs a value")

// set sets a flag, unless an argument has set it. After an error the flag has the
// value that it had before.
func (s *Settings) set(name, value string, hasValue bool) error {
	if !slices.Contains(s.Names, name) {
		return fmt.Errorf("%q is none of %s", name, strings.Join(s.Names, ", "))
	}
	x := s.Flags.Lookup(name)
	// Not every command has all flags.
	if s.Given[name] || x == nil {
		return nil
	}
	value = strings.TrimSpace(value)
	_, protects := s.Strictest[name]
	switch b, ok := x.Value.(interface{ IsBoolFlag() bool }); {
	case hasValue && (value != "" || !protects):
	case !hasValue && ok && b.IsBoolFlag():
		value = "true"
	default:
		return fmt.Errorf("%s: %w", name, errNoValue)
	}
	before := x.Value.String()
	if err := x.Value.Set(value); err != nil {
		// Some values of the flag package change in spite of an error.
		return errors.Join(fmt.Errorf("%s: %w", name, err), x.Value.Set(before))
	}
	return nil
}
