// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/kernelfs"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/u-root/u-root/pkg/uroot/unixflag"
)

// A head is in front of every report for machines. README.md documents them.
type head struct {
	// Schema is the version of all reports.
	Schema int `json:"schema"`
	// Report names which one it is.
	Report string `json:"report"`
}

const schema = 1

func (c *command) printJSON(v any) error { return printJSON(c.stdout, v) }

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// plan shows what boot would load.
func (c *command) plan(ctx context.Context, args []string) error {
	o := &options{}
	f := c.flagSet("plan")
	asJSON := f.Bool("json", false, "print for machines")
	if err := o.parseTarget(f, args); err != nil {
		return err
	}
	j, err := c.open(ctx, o)
	if err != nil {
		return err
	}
	defer j.Close()
	r, err := j.Plan(ctx)
	if err != nil {
		return err
	}
	if *asJSON {
		return c.printJSON(struct {
			head
			*archdesc.Plan
			Carrier carry.Carrier    `json:"carrier"`
			Check   *handover.Report `json:"check"`
		}{head{schema, "plan"}, r.Plan, r.By, r.Snapshot.Report})
	}
	return r.Plan.WriteText(c.stdout)
}

// A source is where verify and list take the list from.
type source struct {
	file string
	pcrs unixflag.StringArray
}

// verify replays the list.
func (c *command) verify(ctx context.Context, args []string) error {
	o, from := &options{}, &source{}
	f := c.flagSet("verify")
	asJSON := f.Bool("json", false, "print for machines")
	f.StringVar(&from.file, "list", "", "binary list in a `FILE` instead of the running kernel's")
	f.Var(&from.pcrs, "pcr", "`ALG=HEX` of PCR 10, once a bank, with --list")
	o.carriedFlag(f)
	o.tpmFlag(f)
	if err := parseFlags(f, args); err != nil {
		return err
	}
	s, err := c.read(ctx, o, from)
	if err != nil {
		return err
	}
	if *asJSON {
		err = c.printJSON(struct {
			head
			*handover.Report
			Digest  string             `json:"list_sha256"`
			Carried *carriedReport     `json:"carried,omitempty"`
			Events  *carry.EventReport `json:"event_log,omitempty"`
		}{head{schema, "verify"}, s.Report, s.SHA256(), reportCarried(s.Carried), s.Events})
	} else {
		err = s.WriteText(c.stdout)
	}
	if err != nil {
		return err
	}
	return s.Err()
}

// read reads the running kernel's list, or that of a file.
func (c *command) read(ctx context.Context, o *options, from *source) (*carry.Snapshot, error) {
	if from.file == "" && len(from.pcrs) > 0 {
		return nil, usagef("--pcr goes with --list")
	}
	opts := c.carryOptions(o)
	opts.List = from.file
	for _, s := range from.pcrs {
		p, err := pcr.Parse(s)
		if err != nil {
			return nil, err
		}
		opts.PCRs = append(opts.PCRs, p)
	}
	if from.file == "" {
		if err := kernelfs.MountAll(); err != nil {
			return nil, err
		}
	}
	return carry.Read(ctx, opts)
}

// A carriedReport is the note on what was sent, and where it was found.
type carriedReport struct {
	Dir string `json:"dir"`
	*handover.Note
}

func reportCarried(l *handover.Carried) *carriedReport {
	if l == nil {
		return nil
	}
	return &carriedReport{l.Dir, l.Note}
}

// list shows or writes the list.
func (c *command) list(ctx context.Context, args []string) error {
	o, from := &options{}, &source{}
	f := c.flagSet("list")
	var format string
	f.Var(choice{&format, []string{"binary", "ascii", "json"}}, "format", "binary, ascii or json: as the kernel writes or prints it, or for machines")
	f.BoolFunc("json", "the same as --format=json", func(string) error { format = "json"; return nil })
	output := f.String("output", "", "write to a `FILE`, the binary list unless --format says else")
	f.StringVar(&from.file, "list", "", "binary list in a `FILE` instead of the running kernel's")
	o.carriedFlag(f)
	if err := parseFlags(f, args); err != nil {
		return err
	}
	// It is only shown: nothing has to prove it.
	o.TPM = string(carry.TPMOff)
	s, err := c.read(ctx, o, from)
	if err != nil {
		return err
	}
	l := s.List
	if format == "" {
		format = "ascii"
		if *output != "" {
			format = "binary"
		}
	}
	if *output == "" {
		return writeList(c.stdout, l, format)
	}
	out, err := os.OpenFile(*output, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(writeList(out, l, format), out.Close()); err != nil {
		return err
	}
	c.step("%s, %s, written to %s", count(l.Records(), "records"), size(len(l.Bytes())), *output)
	return nil
}

// writeList writes a list in one of list's formats. ASCII is what the kernel
// prints, to the byte.
func writeList(out io.Writer, l *handover.List, format string) error {
	switch format {
	case "binary":
		_, err := out.Write(l.Bytes())
		return err
	case "json":
		records := make([]handover.RecordReport, 0, l.Records())
		for r := range l.All {
			records = append(records, r.Report())
		}
		return printJSON(out, struct {
			head
			Digest  string                  `json:"list_sha256"`
			Records []handover.RecordReport `json:"records"`
		}{head{schema, "list"}, l.SHA256(), records})
	}
	w := bufio.NewWriter(out)
	for r := range l.All {
		fmt.Fprintln(w, r.ASCII())
	}
	return w.Flush()
}
