// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"os"

	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/kernelfs"
	"github.com/imaboot/imaboot/pkg/policy"
)

// request turns flags into what pkg/carry takes.
func (c *command) request(o *options) (carry.Target, carry.Options, error) {
	t := o.Target
	if o.reuseCmdline {
		running, err := os.ReadFile("/proc/cmdline")
		if err != nil {
			return t, carry.Options{}, err
		}
		if t.Cmdline, err = cmdline.Reuse(string(running), o.Cmdline, "imaboot.list"); err != nil {
			return t, carry.Options{}, err
		}
	}
	return t, c.carryOptions(o), nil
}

// carryOptions are those of commands that read the list.
func (c *command) carryOptions(o *options) carry.Options {
	out := o.Options
	out.IgnoreCarried = o.carried == "off"
	if o.by != auto {
		out.By = carry.Carrier(o.by)
	}
	if o.tpm != auto {
		out.TPM = carry.TPMMode(o.tpm)
	}
	if c.sawTPM && out.TPM == carry.TPMAuto {
		out.TPM = carry.TPMSeen
	}
	out.Log, out.Debug, out.Jumping = c.step, c.detail, c.jumping
	return out
}

// loadPolicy gives a policy to IMA, so that it measures what is opened next. It
// does so once.
func (c *command) loadPolicy(o *options) error {
	if o.policyFile == "" {
		return nil
	}
	text, rules, err := policy.LoadFile("/", o.policyFile)
	if err != nil {
		return err
	}
	if rules == 0 {
		c.step("policy %s: it is loaded already", o.policyFile)
	} else {
		c.step("policy %s: %d rules", o.policyFile, rules)
	}
	o.Policy, o.policyFile = text, ""
	return nil
}

// open mounts what is missing, loads the policy and opens a target.
func (c *command) open(ctx context.Context, o *options) (*carry.Job, error) {
	if err := kernelfs.MountAll(); err != nil {
		return nil, err
	}
	if err := c.loadPolicy(o); err != nil {
		return nil, err
	}
	t, opts, err := c.request(o)
	if err != nil {
		return nil, err
	}
	return carry.Open(ctx, t, opts)
}

// openNamed opens a target whose kernel is an argument.
func (c *command) openNamed(ctx context.Context, o *options, kernel string) (*carry.Job, error) {
	if err := o.check(nil); err != nil {
		return nil, err
	}
	o.take(kernel)
	return c.open(ctx, o)
}
