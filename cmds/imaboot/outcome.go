// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// An outcome is what boot, load and exec report to machines: what was loaded,
// or why nothing was.
type outcome struct {
	head
	// Refusal is the name of a refusal, and Code its exit code; without one
	// nothing was refused.
	Refusal refusal.Name `json:"refusal,omitempty"`
	Code    int          `json:"code"`
	Text    string       `json:"text,omitempty"`

	Carrier carry.Carrier        `json:"carrier,omitempty"`
	Why     string               `json:"why,omitempty"`
	Cmdline string               `json:"cmdline,omitempty"`
	List    *archdesc.Descriptor `json:"list,omitempty"`
	Digest  string               `json:"list_sha256,omitempty"`
	Check   *handover.Report     `json:"check,omitempty"`
}

// jumping reports what is about to be booted: afterwards nobody can.
func (c *command) jumping(r *carry.Result) {
	if err := c.printOutcome(r, nil); err != nil {
		c.step("report: %v", err)
	}
}

// printOutcome prints a result, or a refusal, if --json asks for it.
func (c *command) printOutcome(r *carry.Result, refused error) error {
	if !c.asJSON {
		return nil
	}
	out := outcome{head: head{schema, c.sub.name}}
	if refused != nil {
		out.Refusal, out.Text = refusal.Of(refused), refused.Error()
		out.Code = out.Refusal.Code()
	}
	if r != nil {
		out.Carrier, out.Why = r.By, r.Why
		out.Digest, out.Check = r.Snapshot.SHA256(), r.Snapshot.Report
		out.Cmdline, out.List = r.Plan.Cmdline, r.Plan.List
	}
	return c.printJSON(out)
}
