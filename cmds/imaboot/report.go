// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"

	"github.com/imaboot/imaboot/internal/flags"
	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/kernelfs"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/tpm"
	"github.com/u-root/u-root/pkg/uroot/unixflag"
)

// A head is in front of every report for machines. docs/json.md documents them.
type head struct {
	// Schema is the version of all reports.
	Schema int `json:"schema"`
	// Report names which one it is.
	Report string `json:"report"`
}

const schema = 1

func (c *command) printJSON(v any) error {
	c.printed = true
	return printJSON(c.stdout, v)
}

func printJSON(out io.Writer, v any) error {
	b, err := human.JSON(v)
	if err == nil {
		_, err = out.Write(b)
	}
	return err
}

// jsonFlag is that of every command that reports something.
func (c *command) jsonFlag(f *flag.FlagSet) {
	f.BoolVar(&c.asJSON, "json", false, "Print one JSON object, for machines.")
}

// plan shows what boot would load.
func (c *command) plan(f *flag.FlagSet) action {
	o := &options{}
	c.jsonFlag(f)
	o.targetFlags(f)
	return func(ctx context.Context, args []string) error {
		j, err := c.openNamed(ctx, o, args[0])
		if err != nil {
			return err
		}
		defer j.Close()
		r, err := j.Plan(ctx)
		if err != nil {
			return err
		}
		if !c.asJSON {
			return r.Plan.WriteText(c.stdout)
		}
		return c.printJSON(struct {
			head
			*archdesc.Plan
			Carrier carry.Carrier    `json:"carrier"`
			Check   *handover.Report `json:"check"`
		}{head{schema, "plan"}, r.Plan, r.By, r.Snapshot.Report})
	}
}

// listFlag is that of commands that read a list of their own.
func (o *options) listFlag(f *flag.FlagSet) {
	f.StringVar(&o.List, "list", "", "Read a binary list from `FILE` instead of the running kernel. It may come from another machine and have either byte order.")
}

// verify replays the list.
func (c *command) verify(f *flag.FlagSet) action {
	o := &options{}
	var pcrs unixflag.StringArray
	c.jsonFlag(f)
	o.listFlag(f)
	f.Var(&pcrs, "pcr", "Compare the list with this value of PCR 10, given as `ALG=HEX`. Repeat the flag for each bank. It needs --list.")
	o.carriedFlag(f)
	o.tpmFlag(f)
	return func(ctx context.Context, _ []string) error {
		s, err := c.read(ctx, o, pcrs)
		if err != nil {
			return err
		}
		if c.asJSON {
			err = c.printJSON(struct {
				head
				*handover.Report
				Digest    string                 `json:"list_sha256"`
				TPM       *tpm.Chip              `json:"tpm,omitempty"`
				Carried   *carriedReport         `json:"carried,omitempty"`
				Events    *carry.EventReport     `json:"event_log,omitempty"`
				Aggregate *carry.AggregateReport `json:"boot_aggregate,omitempty"`
			}{head{schema, "verify"}, s.Report, s.SHA256(), s.TPM, reportCarried(s.Carried), s.Events, s.Aggregate})
		} else {
			err = s.WriteText(c.stdout)
		}
		if err != nil {
			return err
		}
		return s.Err()
	}
}

// read reads the running kernel's list, or that of a file with PCRs as flags
// give them.
func (c *command) read(ctx context.Context, o *options, pcrs []string) (*carry.Snapshot, error) {
	if o.List == "" && len(pcrs) > 0 {
		return nil, usagef("--pcr goes with --list")
	}
	for _, s := range pcrs {
		p, err := pcr.Parse(s)
		if err != nil {
			return nil, err
		}
		o.PCRs = append(o.PCRs, p)
	}
	if o.List == "" {
		if err := kernelfs.MountAll(); err != nil {
			return nil, err
		}
	}
	return carry.Read(ctx, c.carryOptions(o))
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
func (c *command) list(f *flag.FlagSet) action {
	o := &options{}
	var format, output string
	c.jsonFlag(f)
	f.Var(flags.Choice(&format, "binary", "ascii", "json"), "format", `Choose the list's form: "binary" as the kernel writes it, "ascii" as the kernel prints it, "json" for machines. The default is "binary" with --output, else "ascii".`)
	f.StringVar(&output, "output", "", "Write the list to `FILE` instead of standard output.")
	o.listFlag(f)
	o.carriedFlag(f)
	return func(ctx context.Context, _ []string) error {
		// It is only shown: nothing has to prove it.
		o.tpm = string(carry.TPMOff)
		s, err := c.read(ctx, o, nil)
		if err != nil {
			return err
		}
		switch {
		case c.asJSON:
			format = "json"
		case format == "" && output != "":
			format = "binary"
		}
		if output == "" {
			return writeList(c.raw, s.List, format)
		}
		return c.saveList(s.List, format, output)
	}
}

func (c *command) saveList(l *handover.List, format, name string) error {
	out, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(writeList(out, l, format), out.Close()); err != nil {
		return err
	}
	c.step("%s, %s, written to %s", human.Count(l.Records(), "records"), human.Size(int64(len(l.Bytes()))), name)
	return nil
}

// writeList writes a list in one of list's formats, or else as the kernel prints
// it, to the byte. A terminal is not shown what would control it.
func writeList(out io.Writer, l *handover.List, format string) error {
	switch terminal := human.IsTerminal(out); {
	case format == "binary" && terminal:
		return usagef("a binary list is not for a terminal: name a file with --output")
	case format == "binary":
		_, err := out.Write(l.Bytes())
		return err
	case format == "json":
		records := make([]handover.RecordReport, 0, l.Records())
		for r := range l.All {
			records = append(records, r.Report())
		}
		return printJSON(out, struct {
			head
			Digest  string                  `json:"list_sha256"`
			Records []handover.RecordReport `json:"records"`
		}{head{schema, "list"}, l.SHA256(), records})
	case terminal:
		return l.WritePrintable(out)
	}
	return l.WriteASCII(out)
}
