// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package offline checks a list from a file against PCR values that somebody
// gives: on another machine, or later. It asks neither the running kernel nor a
// TPM.
package offline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/listfile"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
	"github.com/imaboot/imaboot/pkg/target"
)

// Options say what is read and compared.
type Options struct {
	// List is the name of the list's file, and Prefix that of a file with
	// the records in front of it, or "". The records may overlap.
	List, Prefix string
	// PCRs are values to compare with, and Starts those to begin the replay
	// with, as arguments of pcr.Given.Add. A value without the number of its
	// register is one of the register that the kernels extend
	// (handover.List.Index).
	PCRs, Starts []string
	// Unproven accepts a list that is compared with nothing.
	Unproven bool
	// Digest asks for Result.SHA256, which takes another pass over the list.
	Digest bool
	// Log gets a line for each note on how the list was read; nil is silent.
	Log func(format string, args ...any)
}

// A Result is what the comparison found. It is also the report for machines.
type Result struct {
	*handover.Report
	// SHA256 is the digest of the binary list, in hexadecimal.
	SHA256 string         `json:"list_sha256,omitempty"`
	Source *listfile.File `json:"source"`
	Prefix *Prefix        `json:"prefix,omitempty"`
	// Aggregate is nil if there is nothing to compare.
	Aggregate *handover.AggregateReport `json:"boot_aggregate,omitempty"`

	unproven bool
}

// maxPCRs bounds a file with PCR values, in bytes. What tpm2_eventlog prints can
// have some 100 KB.
const maxPCRs = 16 << 20

var errUsage = refusal.New(refusal.Usage, "usage")

// Read reads the list and compares it. A list that does not match is read
// without an error; Result.Err says what the comparison amounts to.
func Read(o *Options) (*handover.List, *Result, error) {
	c, err := newComparison(o)
	if err != nil {
		return nil, nil, err
	}
	file, err := listfile.Read(o.List)
	if err != nil {
		return nil, nil, err
	}
	return c.result(file)
}

// Verify does what Read does, and returns no records: the file is mapped, and a
// large binary list takes little memory. The error wraps target.ErrFault if the
// file becomes shorter meanwhile.
func Verify(o *Options) (*Result, error) {
	c, err := newComparison(o)
	if err != nil {
		return nil, err
	}
	file, err := listfile.Open(o.List)
	if err != nil {
		return nil, err
	}
	r, changed, err := c.verify(file)
	if !changed {
		return r, err
	}
	// Only a copy is the same list from the first pass to the last one.
	_, r, err = Read(o)
	return r, err
}

// verify compares a list, and closes its file. It reports whether the file was
// written to meanwhile; a file that became shorter is an error.
func (c *comparison) verify(file *listfile.File) (r *Result, changed bool, err error) {
	err = file.Guard(func() (err error) {
		_, r, err = c.result(file)
		return err
	})
	changed = file.Changed() && !errors.Is(err, target.ErrFault)
	if err = errors.Join(err, file.Close()); err != nil {
		r = nil
	}
	return r, changed, err
}

// result compares a list.
func (c *comparison) result(file *listfile.File) (l *handover.List, r *Result, err error) {
	r = &Result{Source: file, unproven: c.o.Unproven}
	if c.o.Prefix == "" && len(c.o.Starts) == 0 && file.Form == listfile.Binary {
		l, r.Report, err = c.parseAndCheck(file)
	}
	if r.Report == nil {
		// The list has another form or another bank's digests, or it has an
		// error that the file's own form explains.
		l, err = c.read(r)
	}
	if err != nil {
		return nil, nil, err
	}
	if c.o.Digest {
		r.SHA256 = l.SHA256()
	}
	r.Leave(c.values.Unknown)
	r.Aggregate = c.aggregate(r.Report)
	if c.o.Log != nil {
		for _, line := range r.notes() {
			c.o.Log("%s", line)
		}
	}
	return l, r, nil
}

// check refuses to read standard input twice.
func (o *Options) check() error {
	names := []string{o.List, o.Prefix}
	for _, arg := range slices.Concat(o.PCRs, o.Starts) {
		names = append(names, arg[strings.LastIndexByte(arg, ',')+1:])
	}
	first := slices.Index(names, listfile.Stdin)
	if first >= 0 && slices.Contains(names[first+1:], listfile.Stdin) {
		return fmt.Errorf("%w: only one of the list, its prefix and the PCRs can come from standard input", errUsage)
	}
	return nil
}

// given collects the values of arguments.
func given(args []string) (*pcr.Given, error) {
	g := &pcr.Given{}
	for _, arg := range args {
		err := g.Add(arg, func(name string) ([]byte, error) { return listfile.ReadBytes(name, maxPCRs) })
		if err != nil {
			return nil, err
		}
	}
	return g, nil
}

// A comparison compares lists with what is given.
type comparison struct {
	o              *Options
	values, starts *pcr.Given
}

// newComparison reads the values.
func newComparison(o *Options) (*comparison, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	values, err := given(o.PCRs)
	if err != nil {
		return nil, err
	}
	starts, err := given(o.Starts)
	if err != nil {
		return nil, err
	}
	return &comparison{o, values, starts}, nil
}

// parseAndCheck is for a list with SHA-1 digests. It returns no report if data is
// none.
func (c *comparison) parseAndCheck(f *listfile.File) (*handover.List, *handover.Report, error) {
	index := handover.IndexOf(f.Data)
	regs, err := registers(c.values, index)
	if err != nil {
		return nil, nil, err
	}
	return handover.ParseAndCheck(f.Data, f.Release, index, regs[0].Values, regs[1:]...)
}

// check compares a list.
func (c *comparison) check(l *handover.List) (*handover.Report, error) {
	regs, err := registers(c.values, l.Index())
	if err != nil {
		return nil, err
	}
	if len(c.starts.Values) == 0 {
		return handover.Check(l, l.Index(), regs[0].Values, regs[1:]...), nil
	}
	starts, err := registers(c.starts, l.Index())
	if err != nil {
		return nil, err
	}
	return handover.CheckFrom(l, starts, l.Index(), regs[0].Values, regs[1:]...), nil
}

// registers returns all registers that have a value, that of the kernels first,
// which may have none.
func registers(g *pcr.Given, index int) ([]handover.Register, error) {
	g, err := g.Resolve(index)
	if err != nil {
		return nil, err
	}
	out := []handover.Register{{Index: index, Values: g.Register(index)}}
	for _, x := range g.Values {
		if !slices.ContainsFunc(out, func(r handover.Register) bool { return r.Index == x.Index }) {
			out = append(out, handover.Register{Index: x.Index, Values: g.Register(x.Index)})
		}
	}
	return out, nil
}

// read parses the list in the form that it has, and joins it with its prefix.
func (c *comparison) read(r *Result) (*handover.List, error) {
	l, err := r.Source.List()
	if err != nil {
		return nil, err
	}
	if c.o.Prefix != "" {
		return c.join(r, l)
	}
	r.Report, err = c.check(l)
	return l, err
}

// Err returns nil if the list is proven, and else a *carry.Refusal.
func (r *Result) Err() error {
	if r.Verdict != handover.Match && (r.Verdict != handover.NoTPM || !r.unproven) {
		return &carry.Refusal{Verdict: refusal.Name(r.Verdict), Err: errors.New(r.Text)}
	}
	if err := r.Aggregate.Err(); err != nil {
		return &carry.Refusal{Verdict: refusal.AggregateMismatch, Err: err}
	}
	return nil
}
