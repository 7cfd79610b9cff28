// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package ipxe runs scripts of iPXE up to where they boot.
//
// u-root's pkg/boot/netboot/ipxe returns open readers, but an entry needs the
// names of its files; and it executes no commands but kernel, initrd and boot.
package ipxe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

const (
	// maxSteps is how many lines a script may run, with all scripts that it
	// chains to. It ends a loop that waits for the network.
	maxSteps = 10000
	// maxLine is the length of a line in bytes, and that of a word after its
	// variables are replaced.
	maxLine = 16 << 10
	// maxExpanded is the length in bytes of all lines that are run, counted
	// again for each step in which variables are replaced.
	maxExpanded  = 4 << 20
	maxVariables = 256
	maxImages    = 64
	maxItems     = 1000 // of a menu
	// maxDepth is how deep scripts may be chained, maxFiles how many files a
	// script may chain to in all.
	maxDepth = 8
	maxFiles = 32
)

var (
	// errFailed is wrapped by errors that || in a script catches.
	errFailed = errors.New("command failed")
	// errFalse is the result of a command that tests something.
	errFalse = fmt.Errorf("%w: condition does not hold", errFailed)
)

func failed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errFailed}, args...)...)
}

// A Machine is what a script of iPXE can ask about.
type Machine struct {
	*loader.Client
	// Arch is the architecture, as GOARCH has it.
	Arch string
	// Read downloads the scripts that a script chains to.
	Read loader.Reader
}

// IsScript reports whether a text begins with iPXE's mark, or with that of its
// predecessor gPXE.
func IsScript(text []byte) bool {
	return bytes.HasPrefix(text, []byte("#!ipxe")) || bytes.HasPrefix(text, []byte("#!gpxe"))
}

// An interpreter runs a script up to where it would boot (ipxe.org/cmd). It
// downloads nothing but the scripts that are chained to: images are taken to
// exist. Commands that ask a user get no answer.
type interpreter struct {
	*Machine

	config    *entry.Config
	variables map[string]variable
	images    []image
	items     []item // of the menu
	title     string // that of the chosen item
	chosen    string // its name
	steps     int
	expanded  int
	files     int
	booted    bool
}

type image struct {
	name, url, args string
	kernel          bool // the script selected it at some time
	selected        bool // it is the image to boot
	hidden          bool // it is no initrd, but a shim or a device tree
	tree            bool // it is the device tree
}

// A script is one file.
type script struct {
	url    *url.URL
	lines  []string
	labels map[string]int
	depth  int
	next   int // index of the next line
	// jumped ends the line, exited the script.
	jumped, exited bool
}

// Run runs a script, whose URL is file, and returns a configuration with the one
// entry that it boots. Of a menu it takes the default. If the script ends after it
// has loaded a kernel, but does not boot it, iPXE goes on elsewhere: that is the
// default then, and the kernel an entry, as for Petitboot. Errors wrap
// entry.ErrConfig, or are the context's.
func (m *Machine) Run(ctx context.Context, file string, text []byte) (*entry.Config, error) {
	x := &interpreter{Machine: m, variables: map[string]variable{}, config: &entry.Config{Kind: "ipxe", Source: file}}
	u, err := url.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", entry.ErrConfig, file, err)
	}
	err = x.run(ctx, u, text, 0)
	if x.booted {
		return x.config, nil
	}
	if err == nil {
		err = errors.New("the script ends without booting")
		if x.startSelected() == nil {
			x.config.Default = entry.Elsewhere
			x.config.Notef("%v: what it has loaded is an entry, but not the default", err)
			return x.config, nil
		}
	}
	if x.chosen != "" {
		err = fmt.Errorf("%w; of its last menu the default was taken: %s", err, entry.Printable(x.chosen))
	}
	return nil, fmt.Errorf("%w: %s: %w", entry.ErrConfig, file, err)
}

// run runs a script. An error that wraps errFailed is the script's own failure.
func (x *interpreter) run(ctx context.Context, u *url.URL, text []byte, depth int) error {
	if err := loader.CheckText(text); err != nil {
		return fmt.Errorf("%s: %w", u.Redacted(), err)
	}
	s := &script{url: u, lines: lines(text), labels: map[string]int{}, depth: depth}
	s.prepare()
	for s.next < len(s.lines) {
		line := s.lines[s.next]
		s.next++
		if line == "" || line[0] == '#' || line[0] == ':' {
			continue
		}
		where := fmt.Sprintf("%s:%d", u.Redacted(), s.next)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		if x.steps++; x.steps > maxSteps || len(line) > maxLine {
			return fmt.Errorf("%s: more than %d steps, or a line of more than %d bytes", where, maxSteps, maxLine)
		}
		if err := x.spend(len(line)); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		err := x.line(ctx, s, line, where)
		if x.booted || s.exited || err != nil {
			return err
		}
	}
	return nil
}

// spend counts the bytes that are expanded.
func (x *interpreter) spend(bytes int) error {
	if x.expanded += bytes; x.expanded > maxExpanded {
		return fmt.Errorf("more than %d bytes are expanded", maxExpanded)
	}
	return nil
}

// prepare joins each line that ends in a backslash with the next one, and finds
// the labels. Of labels with the same name the first one counts.
func (s *script) prepare() {
	for i, line := range s.lines {
		if head, found := strings.CutSuffix(line, `\`); found && i+1 < len(s.lines) && len(line) <= maxLine {
			s.lines[i], s.lines[i+1] = "", head+s.lines[i+1]
			continue
		}
		name, found := strings.CutPrefix(s.lines[i], ":")
		if name, _ = loader.FirstWord(name); found {
			if _, have := s.labels[name]; !have {
				s.labels[name] = i
			}
		}
	}
}

// line runs the commands of one line. The line is split into words before
// variables are replaced; those of a command are replaced when it runs.
func (x *interpreter) line(ctx context.Context, s *script, line, where string) error {
	words := strings.Fields(line)
	process := true
	var err error
	for {
		n, end := command(words)
		if process {
			argv := make([]string, n)
			for i := range argv {
				if argv[i], err = x.expand(s, words[i]); err != nil {
					return fmt.Errorf("%s: %w", where, err)
				}
			}
			if err = x.execute(ctx, s, argv); err != nil {
				err = fmt.Errorf("%s: %s: %w", where, entry.Printable(argv[0]), err)
				if !errors.Is(err, errFailed) {
					return err
				}
				if !errors.Is(err, errFalse) {
					x.config.Notef("%v", err)
				}
			}
			if x.booted || s.jumped || s.exited {
				s.jumped = false
				return err
			}
		}
		switch end {
		case "||":
			process = err != nil
		case "&&":
			process = err == nil
		case ";":
			process = true
		default:
			return err
		}
		words = words[n+1:]
	}
}

// command returns the number of words of the first command, and the word that
// ends it. That is empty at the end of the line, or before a comment.
func command(words []string) (int, string) {
	for i, w := range words {
		switch {
		case w == "||" || w == "&&" || w == ";":
			return i, w
		case w[0] == '#':
			return i, ""
		}
	}
	return len(words), ""
}

// execute runs one command. An empty command succeeds.
func (x *interpreter) execute(ctx context.Context, s *script, argv []string) error {
	if len(argv) == 0 {
		return nil
	}
	run, known := commands[argv[0]]
	if !known {
		return failed("no such command here")
	}
	return run(x, ctx, s, argv[1:])
}

// lines splits a text into lines, and removes the blanks around them.
func lines(text []byte) []string {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	all := strings.Split(string(text), "\n")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}
