// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package flags adds to the standard flag package: flags behind other
// arguments, values that are one of a few words, and help for a terminal.
package flags

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/internal/human"
)

// Parse takes flags before and after other arguments, as getopt(3) does, and
// returns the others. Everything behind "--" is one of the others.
func Parse(f *flag.FlagSet, args []string) ([]string, error) {
	var others []string
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		rest := f.Args()
		if len(rest) == 0 {
			return others, nil
		}
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			return append(others, rest...), nil
		}
		others, args = append(others, rest[0]), rest[1:]
	}
}

// choice is a flag.Value that takes one of a few words.
type choice struct {
	value *string
	words []string
}

// Choice returns a flag's value that is one of the words.
func Choice(value *string, words ...string) flag.Value { return choice{value, words} }

func (c choice) String() string {
	// The flag package calls it on a zero value.
	if c.value == nil {
		return ""
	}
	return *c.value
}

func (c choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.words, ", "))
	}
	*c.value = s
	return nil
}

// Describe returns a flag with its argument, as in "--list FILE", and its usage
// with the default.
func Describe(x *flag.Flag) (head, usage string) {
	arg, usage := flag.UnquoteUsage(x)
	if c, ok := x.Value.(choice); ok {
		arg = strings.Join(c.words, "|")
	}
	if !slices.Contains([]string{"", "0", "false"}, x.DefValue) {
		usage += " The default is " + x.DefValue + "."
	}
	head = "--" + x.Name
	if len(x.Name) == 1 {
		head = head[1:]
	}
	return strings.TrimSpace(head + " " + arg), usage
}

// usageColumn is where Help begins usages.
const usageColumn = 26

// Help describes all flags in lines of at most width columns.
func Help(f *flag.FlagSet, width int) string {
	var b strings.Builder
	f.VisitAll(func(x *flag.Flag) {
		head, usage := Describe(x)
		head, usage = "  "+head, human.Wrap(usage, usageColumn, width)
		if len(head)+2 <= usageColumn {
			b.WriteString(head + usage[len(head):])
		} else {
			b.WriteString(head + "\n" + usage)
		}
	})
	return b.String()
}
