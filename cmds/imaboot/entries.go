// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/discover"
)

// An entryReport is an entry as entries prints it.
type entryReport struct {
	Number     int      `json:"number"`
	Default    bool     `json:"default"`
	ID         string   `json:"id,omitempty"`
	Title      string   `json:"title,omitempty"`
	Kind       string   `json:"kind"`
	Source     string   `json:"source"`
	Kernel     string   `json:"kernel"`
	Initrds    []string `json:"initrds,omitempty"`
	DeviceTree string   `json:"device_tree,omitempty"`
	Cmdline    string   `json:"cmdline"`
	carries
}

// A configReport is a configuration that was read.
type configReport struct {
	Kind    string   `json:"kind"`
	Source  string   `json:"source"`
	Entries int      `json:"entries"`
	Timeout *float64 `json:"timeout_seconds,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// entries shows what boot would offer.
func (c *command) entries(f *flag.FlagSet) action {
	o, d := &options{}, &discovery{}
	c.jsonFlag(f)
	o.targetFlags(f)
	d.flags(f)
	return func(ctx context.Context, _ []string) error {
		if err := c.configure(f); err != nil {
			return err
		}
		return c.showEntries(ctx, o, d)
	}
}

func (c *command) showEntries(ctx context.Context, o *options, d *discovery) error {
	if err := o.check(d); err != nil {
		return err
	}
	found, err := c.find(ctx, o, d)
	if err != nil {
		return err
	}
	defer found.close()
	entries, configs := found.report(ctx, o)
	if c.asJSON {
		err = c.printJSON(struct {
			head
			Entries []entryReport  `json:"entries"`
			Configs []configReport `json:"configurations"`
		}{head{schema, "entries"}, entries, configs})
	} else {
		err = c.printEntries(entries)
	}
	if err == nil && len(entries) == 0 {
		return fmt.Errorf("%w in %s", discover.ErrNothingFound, d.from)
	}
	return err
}

func (f *finder) report(ctx context.Context, o *options) ([]entryReport, []configReport) {
	entries, configs := []entryReport{}, []configReport{}
	carriers, choices := f.carriers(ctx, o, 0, f.d.wait+5*time.Second), f.Choices()
	for i := range choices {
		e := &choices[i]
		r := entryReport{
			Number: i + 1, Default: e.Default, ID: e.ID, Title: e.Title, Kind: e.Config.Kind, Source: e.Config.Source,
			Kernel: e.Kernel.String(), Cmdline: e.Cmdline, carries: carriers[i],
		}
		for _, file := range e.Initrds {
			r.Initrds = append(r.Initrds, file.String())
		}
		if e.DeviceTree != nil {
			r.DeviceTree = e.DeviceTree.String()
		}
		entries = append(entries, r)
	}
	for _, c := range f.Configs() {
		r := configReport{Kind: c.Kind, Source: c.Source, Entries: len(c.Entries), Notes: c.Notes}
		if c.Timeout != nil {
			seconds := c.Timeout.Seconds()
			r.Timeout = &seconds
		}
		configs = append(configs, r)
	}
	return entries, configs
}

func (c *command) printEntries(entries []entryReport) error {
	for _, e := range entries {
		mark := " "
		if e.Default {
			mark = "*"
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s%3d  %s\n", mark, e.Number, human.Printable(cmp.Or(e.Title, e.ID)))
		for _, x := range []struct{ what, text string }{
			{"from", e.Source + " (" + e.Kind + ")"}, {"kernel", e.Kernel}, {"initrd", strings.Join(e.Initrds, " ")},
			{"tree", e.DeviceTree}, {"append", e.Cmdline}, {"list", e.text()},
		} {
			if x.text != "" {
				fmt.Fprintf(&b, "      %-7s %s\n", x.what, human.Printable(x.text))
			}
		}
		if _, err := fmt.Fprint(c.stdout, b.String()); err != nil {
			return err
		}
	}
	return nil
}
