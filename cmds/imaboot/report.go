// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/target"
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
func (c *command) plan(args []string) error {
	o := &options{}
	f := c.flagSet("plan")
	asJSON := f.Bool("json", false, "print for machines")
	if err := o.parseTarget(f, args); err != nil {
		return err
	}
	j, err := c.prepare(o)
	if err != nil {
		return err
	}
	defer j.close()
	p, s, err := c.planCarry(j)
	if err != nil {
		return err
	}
	if *asJSON {
		return c.printJSON(struct {
			head
			*archdesc.Plan
			Carrier handover.Carrier `json:"carrier"`
			Check   *handover.Report `json:"check"`
		}{head{schema, "plan"}, p, j.carrier, s.report})
	}
	return p.WriteText(c.stdout)
}

// A source is where verify and list take the list from.
type source struct {
	file string
	pcrs unixflag.StringArray
}

// verify replays the list.
func (c *command) verify(args []string) error {
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
	s, err := c.check(o, from)
	if err != nil {
		return err
	}
	report := s.report
	var events *eventReport
	var eventsErr error
	if from.file == "" {
		events, eventsErr = c.checkEvents(o, report)
	}
	if *asJSON {
		err = c.printJSON(struct {
			head
			*handover.Report
			Digest  string         `json:"list_sha256"`
			Carried *carriedReport `json:"carried,omitempty"`
			Events  *eventReport   `json:"event_log,omitempty"`
		}{head{schema, "verify"}, report, s.SHA256(), reportCarried(s.carried), events})
	} else {
		err = c.printReport(s, events)
	}
	if err != nil {
		return err
	}
	// Nothing is proven without a TPM, unless that was asked for.
	if report.Verdict != handover.Match && (report.Verdict != handover.NoTPM || o.TPM != "off") {
		return &verdictError{report.Verdict, report.Text}
	}
	if eventsErr != nil {
		return eventsErr
	}
	return events.refusal()
}

// check compares the running kernel's list with the TPM, or a file's with the
// given values.
func (c *command) check(o *options, from *source) (*snapshot, error) {
	if from.file == "" {
		if len(from.pcrs) > 0 {
			return nil, usagef("--pcr goes with --list")
		}
		if err := mountAll(); err != nil {
			return nil, err
		}
		return c.snapshot(o)
	}
	var pcrs []pcr.Value
	for _, s := range from.pcrs {
		p, err := pcr.Parse(s)
		if err != nil {
			return nil, err
		}
		pcrs = append(pcrs, p)
	}
	l, report, err := from.check(o, pcrs)
	if err != nil {
		return nil, err
	}
	return &snapshot{Snapshot: &handover.Snapshot{List: l}, report: report}, nil
}

func (from *source) check(o *options, pcrs []pcr.Value) (*handover.List, *handover.Report, error) {
	if o.Prefix == "" {
		b, err := os.ReadFile(from.file)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", target.ErrFile, err)
		}
		if l, report, err := handover.ParseAndCheck(b, pcrIndex, pcrs); err == nil {
			return l, report, nil
		}
	}
	// Its digests are another bank's, or it has an error that read names.
	l, err := from.read(o)
	if err != nil {
		return nil, nil, err
	}
	return l, handover.Check(l, pcrIndex, pcrs), nil
}

// wholeList only reads the list.
func (c *command) wholeList(o *options, from *source) (*handover.List, error) {
	if from.file != "" {
		return from.read(o)
	}
	if err := mountAll(); err != nil {
		return nil, err
	}
	front, carried, err := c.front(o)
	if err != nil {
		return nil, err
	}
	s, err := handover.ReadLive("/", front...)
	if err != nil {
		return nil, err
	}
	return s.List, restored(carried, s.List)
}

func (from *source) read(o *options) (*handover.List, error) {
	l, err := readList(from.file)
	if err != nil || o.Prefix == "" {
		return l, err
	}
	prefix, err := readList(o.Prefix)
	if err != nil {
		return nil, err
	}
	joined, err := handover.Join(prefix, l)
	if err != nil {
		return nil, fmt.Errorf("%s in front of %s: %w", o.Prefix, from.file, err)
	}
	return joined, nil
}

func readList(name string) (*handover.List, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", target.ErrFile, err)
	}
	l, err := handover.ParseAny(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
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

func (c *command) printReport(s *snapshot, events *eventReport) error {
	r := s.report
	fmt.Fprintf(c.stdout, "%s, %d bytes, %s, %s\n", count(r.Records, "records"), r.Bytes, count(r.Violations, "violations"), count(len(r.Hops), "hops"))
	if l := s.carried; l != nil {
		how := "were restored by the kernel, as sent by"
		if l.IsFile() {
			how = "came as a file, sent by"
		}
		fmt.Fprintf(c.stdout, "%s of %s %s %q (%s)\n", count(l.Note.Records, "records"), count(l.Note.Hop, "hops"), how, l.Note.Kernel, l.Dir)
	}
	for i, h := range r.Hops {
		fmt.Fprintf(c.stdout, "hop %d: records %d to %d, %s", i+1, h.First, h.First+h.Records-1, count(h.Violations, "violations"))
		if h.BootAggregate != "" {
			fmt.Fprintf(c.stdout, ", boot_aggregate %s", h.BootAggregate)
		}
		if h.Kernel != "" {
			fmt.Fprintf(c.stdout, ", kernel %q", h.Kernel)
		}
		fmt.Fprintln(c.stdout)
	}
	for _, b := range r.Banks {
		fmt.Fprintf(c.stdout, "%s: replayed %s, PCR %s, extended %v\n", b.Algorithm, b.Replayed, b.Value, b.Forms)
	}
	events.print(c.stdout)
	_, err := fmt.Fprintln(c.stdout, r.Text)
	return err
}

// list shows or writes the list.
func (c *command) list(args []string) error {
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
	l, err := c.wholeList(o, from)
	if err != nil {
		return err
	}
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
