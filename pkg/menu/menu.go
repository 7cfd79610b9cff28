// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package menu lets somebody choose on several consoles at once. It only prints
// lines and reads keys, so that it works on serial lines and on the line-mode
// consoles of mainframes.
package menu

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imaboot/imaboot/internal/human"
)

// An Item is one entry of the menu.
type Item struct {
	// Text is the entry's line, and Below a line under it. What is not
	// printable in them is shown escaped. The end of a long line is not
	// shown: a serial console needs a second for 1000 characters.
	Text, Below string
	// Cmdline is the command line, which can be edited.
	Cmdline string
}

// A Menu is a list of items to choose from.
type Menu struct {
	Title string
	Items []Item
	// Default is the index of the item that is chosen when Timeout has
	// passed without a key, or None. If Timeout is negative, the menu waits
	// for ever.
	Default int
	Timeout time.Duration
}

// None is the value of Default if there is no default: somebody has to choose.
const None = -1

// Values of Choice.Action.
const (
	Boot = iota
	Shell
	Reboot
)

// A Choice is the result of a menu.
type Choice struct {
	Action int
	// Item is the index of the item, or None. Cmdline is its command line,
	// which may have been edited.
	Item    int
	Cmdline string
	// Asked is true if somebody made the choice, on the console with index
	// Console. It is false if the time ran out.
	Asked   bool
	Console int
}

const help = "NUMBER or Enter boots, e NUMBER edits the command line first, s starts a shell, r reboots"

// Show shows the menu on all consoles, and returns the choice that was made on
// one of them. When ctx ends, it returns the default.
func (m *Menu) Show(ctx context.Context, consoles ...io.ReadWriter) Choice {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &session{Menu: m, keys: make(chan key)}
	var readers sync.WaitGroup
	var ended []deadliner
	for i, c := range consoles {
		s.out = append(s.out, newScreen(c))
		next := make(chan struct{}, 1)
		next <- struct{}{}
		s.next = append(s.next, next)
		if d, ok := c.(deadliner); ok {
			ended = append(ended, d)
			readers.Go(func() { s.read(ctx, i, c, next) })
		} else {
			go s.read(ctx, i, c, next)
		}
	}
	// A shell that runs next needs all keys.
	defer func() {
		cancel()
		setDeadlines(ended, time.Unix(1, 0))
		readers.Wait()
		setDeadlines(ended, time.Time{})
	}()
	defer s.end()
	s.list()
	return s.run(ctx)
}

// A deadliner is a console on which a waiting read can be ended.
type deadliner interface{ SetReadDeadline(time.Time) error }

// A key is a byte that was typed on a console.
type key struct {
	console int
	b       byte
}

func setDeadlines(all []deadliner, t time.Time) {
	for _, d := range all {
		_ = d.SetReadDeadline(t) // fails for a console that is gone
	}
}

type session struct {
	*Menu
	out  []*screen
	keys chan key
	// next asks a console's reader for exactly one more key: what is typed
	// ahead belongs to a shell.
	next []chan struct{}
	// line is what was typed so far. There is one line for all consoles,
	// and each shows it.
	line []byte
	// editing is the index of the item whose command line is edited, or -1.
	editing int
}

func (s *session) read(ctx context.Context, i int, r io.Reader, next <-chan struct{}) {
	b := make([]byte, 1)
	for {
		select {
		case <-next:
		case <-ctx.Done():
			return
		}
		n, err := r.Read(b)
		if n == 1 {
			select {
			case s.keys <- key{i, b[0]}:
			case <-ctx.Done():
				return
			}
		}
		// Stop reading from a console that has hung up.
		if err != nil || ctx.Err() != nil {
			return
		}
	}
}

// printf is the only place where text goes to the consoles. The format may hold
// characters that control them, and the arguments may not.
func (s *session) printf(format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = human.Printable(text)
		}
	}
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\r\n")
	for _, screen := range s.out {
		screen.print(text)
	}
}

// end gives consoles that are behind a moment to show what is left.
func (s *session) end() {
	const patience = time.Second
	until := time.Now().Add(patience)
	for _, screen := range s.out {
		screen.end(until)
	}
}

// shown returns a typed line without characters that would control the console.
func shown(line []byte) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, string(line))
}

func (s *session) list() {
	s.printf("\n%s\n\n", s.Title)
	for i, item := range s.Items {
		mark := " "
		if i == s.Default {
			mark = "*"
		}
		s.printf("%s%3d  %s\n", mark, i+1, fitted(item.Text))
		if item.Below != "" {
			s.printf("      %s\n", fitted(item.Below))
		}
	}
	s.printf("\n%s\n", help)
}

// fitted is a line as a console gets it. A long one is cut before it is escaped, as that
// takes time, and again behind it, as that makes it longer.
func fitted(line string) string { return short(human.Printable(short(line))) }

// short returns the beginning of a long line.
func short(line string) string {
	const most = 200
	n := 0
	for at := range line {
		if n++; n > most {
			return line[:at] + "..."
		}
	}
	return line
}

func (s *session) byDefault() Choice {
	if s.Default == None {
		return Choice{Item: None}
	}
	return Choice{Item: s.Default, Cmdline: s.Items[s.Default].Cmdline}
}

// run counts down until a key is pressed, and then reads lines.
func (s *session) run(ctx context.Context) Choice {
	s.editing = -1
	const second = time.Second
	left := s.Timeout
	if s.Default == None {
		left = -1
	}
	tick := time.NewTicker(second)
	defer tick.Stop()
	if left == 0 {
		return s.byDefault()
	}
	counting := left > 0
	s.prompt(counting, left)
	for {
		select {
		case <-ctx.Done():
			return s.byDefault()
		case <-tick.C:
			if !counting {
				continue
			}
			if left -= second; left <= 0 {
				s.printf("\n")
				return s.byDefault()
			}
			s.prompt(true, left)
		case k := <-s.keys:
			if counting {
				counting = false
				s.prompt(false, 0)
			}
			if c, ok := s.press(k.b); ok {
				c.Console = k.console
				return c
			}
			s.next[k.console] <- struct{}{}
		}
	}
}

func (s *session) prompt(counting bool, left time.Duration) {
	if counting {
		s.printf("\rbooting %d in %d s, any key stops ", s.Default+1, (left+time.Second-1)/time.Second)
		return
	}
	s.printf("\n> %s", shown(s.line))
}

// Keys with a meaning.
const (
	backspace, del = 0x08, 0x7f
	clearLine      = 0x15 // ^U
	maxLine        = 4096
)

// press handles a key. It returns true if the key ended the menu.
func (s *session) press(b byte) (Choice, bool) {
	switch {
	case b == '\r' || b == '\n':
		s.printf("\n")
		line := string(s.line)
		s.line = nil
		return s.enter(line)
	case b == backspace || b == del:
		if n := len(s.line); n > 0 {
			s.line = s.line[:n-1]
			s.printf("\b \b")
		}
	case b == clearLine:
		s.printf("\r%s\r> ", strings.Repeat(" ", len(s.line)+2))
		s.line = nil
	case b >= ' ' && b < del && len(s.line) < maxLine:
		s.line = append(s.line, b)
		s.printf("%c", b)
	}
	return Choice{}, false
}

// enter handles a line. It returns true if the line ended the menu.
func (s *session) enter(line string) (Choice, bool) {
	if s.editing >= 0 {
		c := Choice{Item: s.editing, Cmdline: line, Asked: true}
		s.editing = -1
		return c, true
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch word {
	case "":
		if s.Default == None {
			break
		}
		c := s.byDefault()
		c.Asked = true
		return c, true
	case "s":
		return Choice{Action: Shell, Asked: true}, true
	case "r":
		return Choice{Action: Reboot, Asked: true}, true
	case "e":
		if n, ok := s.number(rest); ok {
			s.editing, s.line = n, []byte(s.Items[n].Cmdline)
		}
	default:
		if n, ok := s.number(word); ok {
			return Choice{Item: n, Cmdline: s.Items[n].Cmdline, Asked: true}, true
		}
	}
	s.prompt(false, 0)
	return Choice{}, false
}

func (s *session) number(text string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 || n > len(s.Items) {
		s.printf("there is no entry %q: %s\n", text, help)
		return 0, false
	}
	return n - 1, true
}
