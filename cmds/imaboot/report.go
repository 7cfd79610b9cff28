// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"cmp"
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
	"github.com/imaboot/imaboot/pkg/listfile"
	"github.com/imaboot/imaboot/pkg/offline"
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
	f.StringVar(&o.file.List, "list", "", "Read the list in `FILE` instead of the running kernel's; \"-\" is standard input. FILE can be binary_runtime_measurements of any bank and byte order, ascii_runtime_measurements, or a kexec buffer, each also packed by gzip, xz or zstd.")
}

// verify replays the list.
func (c *command) verify(f *flag.FlagSet) action {
	o := &options{}
	c.jsonFlag(f)
	o.listFlag(f)
	f.Var((*unixflag.StringArray)(&o.file.PCRs), "pcr", "Compare the list with this PCR value, given as `ALG=HEX`: that of PCR 10, or of the PCR that the list's kernels extend. INDEX:ALG=HEX names a PCR. ALG,FILE and FILE take what tpm2_pcrread prints, evmctl's files and those of sysfs. PCRs 0 to 9 are compared with the first boot_aggregate. Repeat the flag for each bank and PCR. It needs --list.")
	f.Var((*unixflag.StringArray)(&o.file.Starts), "start", "Begin the replay with this PCR value, given as `ALG=HEX` or otherwise as for --pcr, instead of zero: the list's first records were checked before. Repeat the flag for each bank; one without a start is not compared. It needs --list.")
	o.carriedFlag(f)
	o.tpmFlag(f)
	return func(ctx context.Context, _ []string) error {
		if o.file.List != "" {
			o.fileFlags()
			o.file.Digest = c.asJSON
			r, err := offline.Verify(&o.file)
			if err != nil {
				return err
			}
			return c.printVerified(r, func() any {
				return struct {
					head
					*offline.Result
				}{head{schema, "verify"}, r}
			})
		}
		if len(o.file.PCRs)+len(o.file.Starts) > 0 {
			return usagef("--pcr goes with --list, and so does --start")
		}
		s, err := c.read(ctx, o)
		if err != nil {
			return err
		}
		return c.printVerified(s, func() any {
			return struct {
				head
				*handover.Report
				Digest    string                    `json:"list_sha256"`
				TPM       *tpm.Chip                 `json:"tpm,omitempty"`
				Carried   *handover.CarriedReport   `json:"carried,omitempty"`
				Events    *carry.EventReport        `json:"event_log,omitempty"`
				Aggregate *handover.AggregateReport `json:"boot_aggregate,omitempty"`
			}{head{schema, "verify"}, s.Report, s.SHA256(), s.TPM, s.Carried.Report(), s.Events, s.Aggregate}
		})
	}
}

// printVerified prints what verify found, for people or for machines.
func (c *command) printVerified(found interface {
	WriteText(io.Writer) error
	Err() error
}, report func() any) error {
	if c.asJSON {
		return cmp.Or(c.printJSON(report()), found.Err())
	}
	return cmp.Or(found.WriteText(c.stdout), found.Err())
}

// fileFlags copies --prefix and --tpm=off to the options of --list.
func (o *options) fileFlags() {
	o.file.Prefix, o.file.Unproven = o.Prefix, o.tpm == string(carry.TPMOff)
}

// read reads the running kernel's list.
func (c *command) read(ctx context.Context, o *options) (*carry.Snapshot, error) {
	if err := kernelfs.MountAll(); err != nil {
		return nil, err
	}
	return carry.Read(ctx, c.carryOptions(o))
}

// readList reads the list that --list names, or the running kernel's.
func (c *command) readList(ctx context.Context, o *options) (*handover.List, *listfile.File, error) {
	if o.file.List == "" {
		s, err := c.read(ctx, o)
		if err != nil {
			return nil, nil, err
		}
		return s.List, nil, nil
	}
	o.file.Log = c.step
	o.fileFlags()
	l, r, err := offline.Read(&o.file)
	if err != nil {
		return nil, nil, err
	}
	return l, r.Source, nil
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
		l, source, err := c.readList(ctx, o)
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
			return writeList(c.raw, l, source, format)
		}
		return c.saveList(l, source, format, output)
	}
}

func (c *command) saveList(l *handover.List, source *listfile.File, format, name string) error {
	out, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(writeList(out, l, source, format), out.Close()); err != nil {
		return err
	}
	c.step("%s, %s, written to %s", human.Count(l.Records(), "records"), human.Size(int64(len(l.Bytes()))), name)
	return nil
}

// writeList writes a list in one of list's formats, or else as the kernel prints
// it, to the byte. A terminal is not shown what would control it.
func writeList(out io.Writer, l *handover.List, source *listfile.File, format string) error {
	switch terminal := human.IsTerminal(out); {
	case format == "binary" && terminal:
		return usagef("a binary list is not for a terminal: name a file with --output")
	case format == "binary":
		_, err := out.Write(l.Bytes())
		return err
	case format == "json":
		return printJSON(out, struct {
			head
			Digest  string                  `json:"list_sha256"`
			Source  *listfile.File          `json:"source,omitempty"`
			Records []handover.RecordReport `json:"records"`
		}{head{schema, "list"}, l.SHA256(), source, l.Reports()})
	case terminal:
		return l.WritePrintable(out)
	}
	return l.WriteASCII(out)
}
