// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// Bounds of one configuration and all that it reads.
const (
	maxFiles    = 32      // that source one another
	maxCalls    = 100     // of functions, nested
	maxCommands = 100_000 // executed
	maxEntries  = 1000
	maxText     = 64 << 10 // of the words of one command
	// maxWork is the number of bytes of files that are read and of words that
	// are made; configurations of distributions need some hundred kilobytes.
	maxWork = 4 << 20
	// maxTotal is the work of all configurations of a volume that make no
	// entries.
	maxTotal = 4 * maxWork
	// maxWords is the number of words of all files. What functions and entries
	// hold of a script takes a hundred times the memory of its text.
	maxWords = 1 << 18
	// partWork is what each part of a path costs that is looked up.
	partWork = 64
)

var (
	// errStop ends everything; a note says why.
	errStop = errors.New("stop")
	// errShown ends a script that shows another menu. The boot continues from
	// that menu.
	errShown = errors.New("menu")
	// errBoot ends a script that boots.
	errBoot = errors.New("boot")
	// errLeave ends a script that returns to the firmware.
	errLeave = errors.New("leave")
)

type interpreter struct {
	config  *entry.Config
	volumes entry.Volumes
	start   *entry.Volume

	builtins    map[string]builtin
	environment *environment
	functions   map[string]*function
	arguments   []string // $1 and so on
	menu        *menu
	shown       *menu
	target      target

	status   int // $?
	loops    int // around the command
	breaks   int // how many of them are to end
	goesOn   bool
	returns  bool
	files    int
	calls    int
	commands int
	entries  int
	work     int
	words    int // of all files
	walked   int // parts of paths that are in work already
}

// stop ends the script, and notes which bound was exceeded.
func (in *interpreter) stop(at position, format string, args ...any) error {
	in.notef(at, format+"; the rest is left out", args...)
	return errStop
}

func (in *interpreter) notef(at position, format string, args ...any) {
	in.config.Notef("%s:%d: "+format, append([]any{printable(at.file), at.line}, args...)...)
}

// printable returns the beginning of a text of a script, for a note.
func printable(s string) string {
	const most = 500
	if len(s) > most {
		return entry.Printable(s[:most]) + "..."
	}
	return entry.Printable(s)
}

func (in *interpreter) step(at position) error {
	if err := in.start.Err(); err != nil {
		return in.stop(at, "%v", err)
	}
	if !in.affords() {
		return in.spend(at, 0)
	}
	if in.commands++; in.commands > maxCommands {
		return in.stop(at, "more than %d commands", maxCommands)
	}
	return nil
}

func (in *interpreter) spend(at position, bytes int) error {
	if in.work += bytes; in.work > maxWork {
		return in.stop(at, "more than %d bytes are read or made", maxWork)
	}
	return nil
}

// affords charges the files that were looked up, and reports whether more may be.
// If not, the lookup fails, and the next command ends the script.
func (in *interpreter) affords() bool {
	walked := 0
	for _, v := range in.volumes {
		walked += v.Walked()
	}
	in.work += (walked - in.walked) * partWork
	in.walked = walked
	return in.work <= maxWork
}

// errTooMuch is why a lookup fails that is not afforded.
var errTooMuch = fmt.Errorf("%w: more than %d bytes are read or made", entry.ErrConfig, maxWork)

func (b block) run(in *interpreter) error {
	for _, c := range b {
		if in.breaks > 0 {
			return nil
		}
		if err := c.run(in); err != nil || in.returns {
			return err
		}
	}
	return nil
}

func (c *conditional) run(in *interpreter) error {
	for _, b := range c.branches {
		if err := b.condition.run(in); err != nil || in.returns || in.breaks > 0 {
			return err
		}
		if in.status == 0 {
			return b.body.run(in)
		}
	}
	if c.other == nil {
		in.status = 0
	}
	return c.other.run(in)
}

func (l *loop) run(in *interpreter) error {
	in.loops++
	defer func() { in.loops-- }()
	for {
		if err := in.step(l.at); err != nil {
			return err
		}
		if err := l.condition.run(in); err != nil || in.returns {
			return err
		}
		if (in.status == 0) == l.until {
			return nil // $? is the status of the condition
		}
		if err := l.body.run(in); err != nil {
			return err
		}
		if in.leaves() {
			return nil
		}
	}
}

// leaves reports whether a loop ends after its body, by break or return.
func (in *interpreter) leaves() bool {
	if in.breaks > 0 {
		in.breaks--
		return in.breaks > 0 || !in.goesOn
	}
	return in.returns
}

func (i *iteration) run(in *interpreter) error {
	words, err := in.expand(i.words, i.at)
	if err != nil {
		return err
	}
	in.loops++
	defer func() { in.loops-- }()
	if len(words) == 0 {
		in.status = 0
	}
	for _, w := range words {
		if err := in.step(i.at); err != nil {
			return err
		}
		in.set(i.name, w)
		if err := i.body.run(in); err != nil {
			return err
		}
		if in.leaves() {
			return nil
		}
	}
	return nil
}

func (f *function) run(in *interpreter) error {
	in.functions[f.name] = f
	return in.step(f.at)
}

func (c *simple) run(in *interpreter) error {
	if err := in.step(c.at); err != nil {
		return err
	}
	words, err := in.expand(c.words, c.at)
	if err != nil || len(words) == 0 {
		return err
	}
	invert := words[0] == "!"
	if invert {
		words = words[1:]
	}
	if len(words) == 0 {
		in.status = 1
		return nil
	}
	known, err := in.call(c, words[0], words[1:])
	if invert && known {
		in.status = flag(in.status != 0)
	}
	return err
}

// flag returns the status of a condition.
func flag(ok bool) int {
	if ok {
		return 0
	}
	return 1
}

// call executes a command of GRUB, a function, or an assignment; it looks for
// them in this order. GRUB complains about any other word, but its status is 0,
// which an exclamation mark does not invert.
func (in *interpreter) call(c *simple, name string, args []string) (known bool, err error) {
	if f, ok := in.builtins[name]; ok {
		in.status, err = f(in, &invocation{name, args, c.body, c.at})
		return true, err
	}
	if f := in.functions[name]; f != nil {
		return true, in.callFunction(f, args, c.at)
	}
	if variable, text, ok := strings.Cut(name, "="); ok {
		in.set(variable, text)
	}
	in.status = flag(!unavailable[name])
	return ignored[name] || unavailable[name], nil
}

func (in *interpreter) callFunction(f *function, args []string, at position) error {
	defer func() { in.calls-- }()
	if in.calls++; in.calls > maxCalls {
		return in.stop(at, "more than %d functions call one another", maxCalls)
	}
	arguments, loops := in.arguments, in.loops
	in.arguments, in.loops = args, 0
	err := f.body.run(in)
	in.arguments, in.loops, in.returns = arguments, loops, false
	return err
}

// set sets a variable. If root names a device that this machine does not have,
// it is another name of the volume that a search finds, or of the one that the
// configuration is on.
func (in *interpreter) set(name, text string) {
	if name == "root" {
		v := in.volume(strings.TrimSuffix(strings.TrimPrefix(text, "("), ")"))
		if v == nil {
			return
		}
		text = v.Device
	}
	in.environment.put(name, text)
}

// value returns the value of a variable, or of $?.
func (in *interpreter) value(name string) string {
	if name == "?" {
		return strconv.Itoa(in.status)
	}
	return in.environment.get(name)
}
