// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/menu"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// bootFound finds a target, lets somebody choose, and boots it.
func (c *command) bootFound(ctx context.Context, o *options, d *discovery) error {
	if d.noMenu {
		// Nobody is asked, and nobody gets a shell by ending this.
		signal.Ignore(unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP)
	}
	err := c.tryFound(ctx, o, d)
	if err == nil {
		return nil
	}
	switch d.finally {
	case "shell":
		c.explain(err)
		return errors.Join(err, c.shell(os.Stdin))
	case "reboot":
		c.explain(err)
		return reboot()
	}
	return err
}

func reboot() error {
	unix.Sync()
	return unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

func (c *command) tryFound(ctx context.Context, o *options, d *discovery) error {
	// Once, and before anything of a target is opened.
	if err := c.loadPolicy(o); err != nil {
		return err
	}
	f, err := c.find(ctx, o, d)
	if f != nil {
		defer f.close()
	}
	if err != nil {
		return err
	}
	first, err := f.byDefault()
	switch {
	case err == nil && d.noMenu:
		return f.bootFrom(ctx, o, first)
	case err == nil:
		return f.ask(ctx, o, first)
	case d.noMenu || len(f.choices) == 0:
		return err
	}
	// Somebody has to choose.
	f.step("%v", err)
	d.timeout = -1
	return f.ask(ctx, o, menu.None)
}

// ask shows the menu until something is booted. What nobody chose, the time
// does, and then what cannot be loaded makes way for the next.
func (f *finder) ask(ctx context.Context, o *options, first int) error {
	m := &menu.Menu{Title: "imaboot", Default: first, Timeout: f.d.timeout}
	// Slow disks must not keep the menu away.
	const patience = 5 * time.Second
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for i, carries := range f.carriers(asking, o, max(first, 0)) {
		e := &f.choices[i]
		m.Items = append(m.Items, menu.Item{
			Text:    entry.Printable(e.Name()),
			Below:   entry.Printable(e.Config.Source + ", " + carries.text()),
			Cmdline: e.Cmdline,
		})
	}
	for {
		consoles, err := menu.Consoles("/")
		if err != nil {
			if first == menu.None {
				return err
			}
			f.step("no menu: %v", err)
			return f.bootFrom(ctx, o, first)
		}
		chosen := m.Show(ctx, menu.Writers(consoles)...)
		typedOn := consoles[chosen.Console].Name()
		for _, t := range consoles {
			err = errors.Join(err, t.Close())
		}
		if err != nil {
			f.detail("consoles: %v", err)
		}
		// Nobody is asked twice in a hurry.
		m.Timeout = -1
		switch {
		case chosen.Action == menu.Shell:
			err = f.shellOn(typedOn)
		case chosen.Action == menu.Reboot:
			err = reboot()
		case !chosen.Asked:
			return f.bootFrom(ctx, o, chosen.Item)
		default:
			err = f.bootEntry(ctx, o, chosen.Item, chosen.Cmdline)
		}
		if err != nil {
			f.explain(err)
		}
	}
}

// bootFrom boots an entry, or the next one that can be loaded. A list that may
// not be carried is the fault of none of them.
func (f *finder) bootFrom(ctx context.Context, o *options, first int) error {
	var failed error
	for n := range f.choices {
		i := (first + n) % len(f.choices)
		err := f.bootEntry(ctx, o, i, f.choices[i].Cmdline)
		if err == nil || !refusal.Of(err).Another() {
			return err
		}
		f.explain(err)
		failed = errors.Join(failed, fmt.Errorf("entry %d: %w", i+1, err))
		if f.d.entry != "" {
			break // that one, and no other
		}
	}
	return fmt.Errorf("nothing can be booted: %w", failed)
}

func (f *finder) bootEntry(ctx context.Context, o *options, i int, cmdline string) error {
	e := &f.choices[i]
	f.step("entry %d: %s (%s)", i+1, e.Name(), e.Config.Source)
	mine, err := f.options(ctx, o, e.Entry, cmdline)
	if err != nil {
		return err
	}
	return f.bootTarget(ctx, mine)
}

// options are those of an entry: --append is behind its command line.
func (f *finder) options(ctx context.Context, o *options, e entry.Entry, cmdline string) (*options, error) {
	mine := *o
	mine.CommandLine = cmdline
	if o.CommandLine != "" {
		mine.CommandLine = strings.TrimSpace(cmdline + " " + o.CommandLine)
	}
	ctx, cancel := context.WithTimeout(ctx, downloadTime)
	defer cancel()
	return &mine, f.local(ctx, &e, &mine)
}

// A carries is what would happen to the list.
type carries struct {
	By      carry.Carrier `json:"carrier,omitempty"`
	Problem string        `json:"problem,omitempty"`
}

func (c carries) text() string {
	if c.Problem != "" {
		return c.Problem
	}
	if c.By == "" {
		return "list: known when it is loaded"
	}
	return "list: by the " + string(c.By)
}

// carriers ask the entries' files, each once, that of one entry first; what
// the time of ctx is too short for stays open.
func (f *finder) carriers(ctx context.Context, o *options, first int) []carries {
	out := make([]carries, len(f.choices))
	known := map[string]carries{}
	for n := range f.choices {
		i := (first + n) % len(f.choices)
		e := &f.choices[i].Entry
		key := fmt.Sprintf("%q %q %q", e.Kernel, e.Initrds, cmdline.Value(e.Cmdline, "root"))
		if _, ok := known[key]; !ok && ctx.Err() == nil {
			known[key] = f.carrierOf(ctx, o, e)
		}
		out[i] = known[key]
	}
	return out
}

// carrierOf asks one entry's files. Those on the network are not there yet.
func (f *finder) carrierOf(ctx context.Context, o *options, e *entry.Entry) carries {
	for _, file := range append([]entry.File{e.Kernel}, e.Initrds...) {
		if file.Volume == nil {
			return carries{}
		}
	}
	mine, err := f.options(ctx, o, *e, e.Cmdline)
	if err != nil {
		return carries{Problem: err.Error()}
	}
	t, opts, err := f.request(mine)
	if err != nil {
		return carries{Problem: err.Error()}
	}
	opts.Log, opts.Debug = nil, nil
	by, _, err := carry.Probe(ctx, t, opts)
	if err != nil {
		return carries{Problem: err.Error()}
	}
	return carries{By: by}
}

// shells are looked for in this order; u-root's first.
var shells = []string{"/bin/defaultsh", "/bin/sh", "/bbin/gosh"}

// shellOn starts a shell on the console where it was asked for.
func (c *command) shellOn(console string) error {
	f, err := os.OpenFile(console, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return c.shell(f)
}

func (c *command) shell(console *os.File) error {
	for _, name := range shells {
		if _, err := os.Stat(name); err != nil {
			continue
		}
		signal.Reset()
		cmd := exec.Command(name)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = console, console, console
		c.step("%s: exit to come back", name)
		return cmd.Run()
	}
	return fmt.Errorf("no shell: none of %v", shells)
}
