// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package ipxe

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

// An item is a line of a menu.
type item struct {
	name, text string
	isDefault  bool
}

// set stores a variable. The type behind its name says how iPXE stores it.
func (x *interpreter) set(_ context.Context, _ *script, args []string) error {
	if len(args) == 0 {
		return failed("no name")
	}
	name, form := splitName(args[0])
	text := strings.Join(args[1:], " ")
	i := integers[form]
	if i == nil || text == "" {
		return x.store(name, variable{text, nil})
	}
	n, ok := parseInteger(text)
	if !ok {
		return failed("no number: %s", entry.Printable(text))
	}
	return x.storeInteger(name, i, n)
}

// splitName splits NAME:TYPE.
func splitName(arg string) (name, form string) {
	name, form, _ = strings.Cut(arg, ":")
	return name, form
}

func (x *interpreter) store(name string, v variable) error {
	if _, have := x.variables[name]; !have && len(x.variables) == maxVariables || len(v.text) > maxLine {
		return errors.New("too many variables, or too long a value")
	}
	x.variables[name] = v
	return nil
}

// show fails if there is no such setting.
func (x *interpreter) show(_ context.Context, s *script, args []string) error {
	_, args = options(args, nil)
	if len(args) != 1 {
		return failed("no name")
	}
	name, _ := splitName(args[0])
	if _, have := x.variables[name]; !have && x.setting(s, name) == "" {
		return failed("no such setting: %s", entry.Printable(name))
	}
	return nil
}

func (x *interpreter) clear(_ context.Context, _ *script, args []string) error {
	if len(args) != 1 {
		return failed("no name")
	}
	name, _ := splitName(args[0])
	delete(x.variables, name)
	return nil
}

func (x *interpreter) isset(_ context.Context, _ *script, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return errFalse
	}
	return nil
}

func (x *interpreter) iseq(_ context.Context, _ *script, args []string) error {
	if len(args) != 2 || args[0] != args[1] {
		return errFalse
	}
	return nil
}

// cpuid tells a 64-bit processor from a 32-bit one, which is what scripts use
// it for. Only iPXE for x86 has this command.
func (x *interpreter) cpuid(_ context.Context, _ *script, args []string) error {
	opts, args := options(args, nil)
	switch {
	case len(args) != 1:
		return failed("no bit")
	case x.Arch == "amd64" && has(opts, "ext", "e") && args[0] == "29":
		return nil
	}
	return errFalse
}

func (x *interpreter) jump(_ context.Context, s *script, args []string) error {
	if len(args) != 1 {
		return failed("no label")
	}
	line, have := s.labels[args[0]]
	if !have {
		return failed("no label %s", entry.Printable(args[0]))
	}
	s.next, s.jumped = line, true
	return nil
}

func (x *interpreter) exit(_ context.Context, s *script, args []string) error {
	s.exited = true
	if len(args) > 0 && args[0] != "0" {
		return failed("status %s", entry.Printable(args[0]))
	}
	return nil
}

func (x *interpreter) menu(context.Context, *script, []string) error {
	x.items = nil
	return nil
}

// item adds a line to the menu. A line without a name is only shown.
func (x *interpreter) item(_ context.Context, _ *script, args []string) error {
	opts, args := options(args, ofItem)
	if len(args) == 0 || has(opts, "gap", "g") {
		return nil
	}
	if len(x.items) == maxItems {
		return errors.New("too many items")
	}
	x.items = append(x.items, item{args[0], strings.Join(args[1:], " "), has(opts, "default", "d")})
	return nil
}

// choose takes the menu's default, or else its first item, as iPXE does when
// its time is over. The time of the first menu counts; a menu without one waits
// forever.
func (x *interpreter) choose(_ context.Context, _ *script, args []string) error {
	opts, args := options(args, ofChoose)
	if len(args) != 1 || len(x.items) == 0 {
		return failed("no menu, or no variable")
	}
	preset, named := opts["default"]
	chosen := x.items[0]
	for _, m := range x.items {
		if named && m.name == preset || !named && m.isDefault {
			chosen = m
		}
	}
	if !has(opts, "keep", "k") {
		x.items = nil
	}
	if x.config.Timeout == nil {
		d := time.Duration(-1)
		if n, err := strconv.ParseUint(opts["timeout"], 10, 31); err == nil && n > 0 {
			d = time.Duration(n) * time.Millisecond
		}
		x.config.Timeout = &d
	}
	x.title, x.chosen = chosen.text, chosen.name
	x.config.Notef("of the menu its default is taken: %s", entry.Printable(chosen.name))
	name, _ := splitName(args[0])
	return x.store(name, variable{chosen.name, nil})
}
