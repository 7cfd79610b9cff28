// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/menu"
	"github.com/imaboot/imaboot/pkg/policy"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// bootFound finds entries, lets somebody choose one, and boots it.
func (c *command) bootFound(ctx context.Context, o *options, d *discovery) error {
	if d.noMenu {
		// Nobody may get a shell by interrupting this.
		signal.Ignore(unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP)
	}
	err := c.tryFound(ctx, o, d)
	if err == nil {
		return nil
	}
	switch d.finally {
	case "shell":
		c.explain(err)
		return errors.Join(err, menu.RunShell(os.Stdin, c.step))
	case "reboot":
		c.explain(err)
		return errors.Join(c.printOutcome(nil, err), reboot())
	}
	return err
}

func reboot() error {
	unix.Sync()
	return unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

func (c *command) tryFound(ctx context.Context, o *options, d *discovery) error {
	// The policy must be loaded once, before any file of a target is opened.
	if err := c.loadPolicy(o); err != nil {
		return err
	}
	f, err := c.find(ctx, o, d)
	if err != nil {
		return err
	}
	defer f.close()
	first, err := f.Default()
	switch {
	case err == nil && d.noMenu:
		return f.bootFrom(ctx, o, first)
	case err == nil:
		return f.ask(ctx, o, first)
	case d.noMenu || len(f.Choices()) == 0:
		return err
	}
	// Somebody has to choose.
	f.step("%v", err)
	d.timeout = -1
	return f.ask(ctx, o, menu.None)
}

// ask shows the menu until an entry is booted. When its time is up, the default
// entry is booted, or else the next one that can be loaded.
func (f *finder) ask(ctx context.Context, o *options, first int) error {
	m := &menu.Menu{Title: "imaboot", Default: first, Timeout: f.d.timeout}
	choices := f.Choices()
	for i, carries := range f.carriers(ctx, o, max(first, 0), 5*time.Second) {
		e := &choices[i]
		m.Items = append(m.Items, menu.Item{
			Text:    e.Name(),
			Below:   e.Config.Source + ", " + carries.text(),
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
		// The time applies to the first menu only.
		m.Timeout = -1
		switch {
		case chosen.Action == menu.Shell:
			err = menu.RunShellOn(typedOn, f.step)
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

// bootFrom boots an entry, or the next one that can be loaded. It gives up on
// errors that are not an entry's fault, such as a list that must not be carried.
func (f *finder) bootFrom(ctx context.Context, o *options, first int) error {
	var failed error
	choices := f.Choices()
	for n := range choices {
		i := (first + n) % len(choices)
		err := f.bootEntry(ctx, o, i, choices[i].Cmdline)
		if err == nil || !refusal.Of(err).Another() {
			return err
		}
		f.explain(err)
		failed = errors.Join(failed, fmt.Errorf("entry %d: %w", i+1, err))
		if f.d.entry != "" {
			break // only this entry was asked for
		}
	}
	return fmt.Errorf("nothing can be booted: %w", failed)
}

func (f *finder) bootEntry(ctx context.Context, o *options, i int, cmdline string) error {
	e := f.Choices()[i]
	f.step("entry %d: %s (%s)", i+1, e.Name(), e.Config.Source)
	f.Keep(&e.Entry)
	mine, err := f.options(ctx, o, &e.Entry, cmdline)
	if err != nil {
		return err
	}
	return f.bootTarget(ctx, mine)
}

// options are those to boot an entry with. The words of its command line come
// first, then those of the flags.
func (f *finder) options(ctx context.Context, o *options, e *entry.Entry, line string) (*options, error) {
	mine := *o
	var err error
	if mine.Cmdline, err = cmdline.Append(line, o.Cmdline); err != nil {
		return nil, err
	}
	files, err := f.Files(ctx, e)
	if err != nil {
		return nil, err
	}
	mine.Kernel, mine.Initrds, mine.DeviceTree = files.Kernel, files.Initrds, files.DeviceTree
	mine.Config = files.Config
	return &mine, nil
}

// A carries says how the list would travel with an entry. Its zero value is not
// known.
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

// carriers says how the list would travel with each entry. It opens no file if IMA
// measures what is opened, and stops when patience is over, because a slow disk
// must not delay the menu. first is the entry to begin with.
func (f *finder) carriers(ctx context.Context, o *options, first int, patience time.Duration) []carries {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	choices := f.Choices()
	out := make([]carries, len(choices))
	if !f.mayLook(o) {
		return out
	}
	known := map[string]carries{}
	for n := range choices {
		i := (first + n) % len(choices)
		e := &choices[i].Entry
		key := fmt.Sprintf("%q %q %q", e.Kernel, e.Initrds, cmdline.LastSetup(e.Cmdline, "root="))
		if _, ok := known[key]; !ok && ctx.Err() == nil {
			known[key] = f.carrierOf(ctx, o, e)
		}
		out[i] = known[key]
	}
	return out
}

// mayLook reports whether files can be opened without leaving a record in the
// list: it must name no file that is not booted.
func (f *finder) mayLook(o *options) bool {
	measures, why, err := policy.MeasuresOpens("/", o.Policy)
	switch {
	case err != nil:
		f.detail("entries are not looked at: %v", err)
	case measures:
		f.detail("entries are not looked at: that would be measured: %s", why)
	}
	return err == nil && !measures
}

// carrierOf looks at the files of an entry until ctx ends. Files on the network
// are downloaded only when they are booted.
func (f *finder) carrierOf(ctx context.Context, o *options, e *entry.Entry) carries {
	for _, file := range append([]entry.File{e.Kernel}, e.Initrds...) {
		if file.Volume == nil {
			return carries{}
		}
	}
	looked := make(chan carries, 1)
	// A read from a disk cannot be interrupted: then nobody waits for it.
	go func() { looked <- f.look(ctx, o, e) }()
	select {
	case c := <-looked:
		return c
	case <-ctx.Done():
		return carries{}
	}
}

func (f *finder) look(ctx context.Context, o *options, e *entry.Entry) carries {
	by, err := f.probe(ctx, o, e)
	switch {
	case refusal.Of(err) == refusal.Interrupted:
		return carries{} // the time was too short to know
	case err != nil:
		return carries{Problem: err.Error()}
	}
	return carries{By: by}
}

func (f *finder) probe(ctx context.Context, o *options, e *entry.Entry) (carry.Carrier, error) {
	mine, err := f.options(ctx, o, e, e.Cmdline)
	if err != nil {
		return "", err
	}
	t, opts, err := f.request(mine)
	if err != nil {
		return "", err
	}
	opts.Log, opts.Debug, opts.Measure, opts.RequireMeasured = nil, nil, false, false
	by, _, err := carry.Probe(ctx, t, opts)
	return by, err
}
