// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/handover"
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

func (c *command) printJSON(v any) error {
	e := json.NewEncoder(c.stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func listDigest(l *handover.List) string {
	sum := sha256.Sum256(l.Bytes())
	return hex.EncodeToString(sum[:])
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
			Check *handover.Report `json:"check"`
		}{head{schema, "plan"}, p, s.report})
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
	o.tpmFlag(f)
	if err := parseFlags(f, args); err != nil {
		return err
	}
	report, list, err := c.check(o, from)
	if err != nil {
		return err
	}
	if *asJSON {
		err = c.printJSON(struct {
			head
			*handover.Report
			Digest string `json:"list_sha256"`
		}{head{schema, "verify"}, report, listDigest(list)})
	} else {
		err = c.printReport(report)
	}
	if err != nil {
		return err
	}
	// Nothing is proven without a TPM, unless that was asked for.
	if report.Verdict != handover.Match && (report.Verdict != handover.NoTPM || o.TPM != "off") {
		return &verdictError{report.Verdict, report.Text}
	}
	return nil
}

// check compares the running kernel's list with the TPM, or a file's with the
// given values.
func (c *command) check(o *options, from *source) (*handover.Report, *handover.List, error) {
	if from.file == "" {
		if len(from.pcrs) > 0 {
			return nil, nil, usagef("--pcr goes with --list")
		}
		if err := mountAll(); err != nil {
			return nil, nil, err
		}
		s, err := c.snapshot(o.TPM)
		if err != nil {
			return nil, nil, err
		}
		return s.report, s.List, nil
	}
	var pcrs []handover.PCR
	for _, s := range from.pcrs {
		p, err := handover.ParsePCR(s)
		if err != nil {
			return nil, nil, err
		}
		pcrs = append(pcrs, p)
	}
	l, err := from.read()
	if err != nil {
		return nil, nil, err
	}
	return handover.Check(l, pcrIndex, pcrs), l, nil
}

// read only reads the list.
func (from *source) read() (*handover.List, error) {
	if from.file == "" {
		if err := mountAll(); err != nil {
			return nil, err
		}
		s, err := handover.ReadLive("/")
		if err != nil {
			return nil, err
		}
		return s.List, nil
	}
	b, err := os.ReadFile(from.file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", target.ErrFile, err)
	}
	l, err := handover.ParseAny(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from.file, err)
	}
	return l, nil
}

func (c *command) printReport(r *handover.Report) error {
	fmt.Fprintf(c.stdout, "%d records, %d bytes, %d violations, %d hops\n", r.Records, r.Bytes, r.Violations, len(r.Hops))
	for i, h := range r.Hops {
		fmt.Fprintf(c.stdout, "hop %d: records %d to %d, %d violations", i+1, h.First, h.First+h.Records-1, h.Violations)
		if h.BootAggregate != "" {
			fmt.Fprintf(c.stdout, ", boot_aggregate %s", h.BootAggregate)
		}
		fmt.Fprintln(c.stdout)
	}
	for _, b := range r.Banks {
		fmt.Fprintf(c.stdout, "%s: replayed %s, PCR %s, extended %v\n", b.Algorithm, b.Replayed, b.Value, b.Forms)
	}
	_, err := fmt.Fprintln(c.stdout, r.Text)
	return err
}

// list shows or writes the list.
func (c *command) list(args []string) error {
	from := &source{}
	f := c.flagSet("list")
	asJSON := f.Bool("json", false, "print for machines")
	output := f.String("output", "", "write the binary list to a `FILE`")
	f.StringVar(&from.file, "list", "", "binary list in a `FILE` instead of the running kernel's")
	if err := parseFlags(f, args); err != nil {
		return err
	}
	l, err := from.read()
	if err != nil {
		return err
	}
	switch {
	case *output != "":
		if err := os.WriteFile(*output, l.Bytes(), 0o600); err != nil {
			return err
		}
		c.step("%d records, %s, written to %s", l.Records(), size(len(l.Bytes())), *output)
		return nil
	case *asJSON:
		records := make([]handover.RecordReport, 0, l.Records())
		for r := range l.All {
			records = append(records, r.Report())
		}
		return c.printJSON(struct {
			head
			Digest  string                  `json:"list_sha256"`
			Records []handover.RecordReport `json:"records"`
		}{head{schema, "list"}, listDigest(l), records})
	}
	w := bufio.NewWriter(c.stdout)
	for r := range l.All {
		fmt.Fprintln(w, r.ASCII())
	}
	return w.Flush()
}
