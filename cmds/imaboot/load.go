// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"flag"

	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/kernelfs"
	"github.com/imaboot/imaboot/pkg/target"
)

// bootFlags are all that boot takes.
func (c *command) bootFlags(o *options, d *discovery) *flag.FlagSet {
	f := c.flagSet("boot")
	c.jsonFlag(f)
	o.policyFlag(f)
	o.targetFlags(f)
	d.flags(f)
	d.chooseFlags(f)
	return f
}

// boot is the whole path.
func (c *command) boot(ctx context.Context, args []string) error {
	o, d := &options{}, &discovery{}
	f := c.bootFlags(o, d)
	// Usage comes before anything is touched.
	others, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(others) > 1 {
		return usagef("one KERNEL at most, %d are given", len(others))
	}
	found := d
	if len(others) == 1 {
		found = nil
	}
	if err := o.check(found); err != nil {
		return err
	}
	if err := c.configure(f); err != nil {
		return err
	}
	if err := o.check(found); err != nil {
		return err
	}
	if len(others) == 1 {
		if d.url != "" || d.entry != "" || len(d.checksums) > 0 {
			return usagef("--url, --entry and --checksum go without a KERNEL")
		}
		o.Kernel, o.Config = others[0], target.ConfigName(others[0])
		return c.bootTarget(ctx, o)
	}
	return c.bootFound(ctx, o, d)
}

// bootTarget returns only with an error.
func (c *command) bootTarget(ctx context.Context, o *options) error {
	j, err := c.open(ctx, o)
	if err != nil {
		return err
	}
	defer j.Close()
	if _, err := j.Load(ctx); err != nil {
		return err
	}
	return j.Exec(ctx)
}

// load does all but the jump.
func (c *command) load(ctx context.Context, args []string) error {
	o := &options{}
	f := c.flagSet("load")
	c.jsonFlag(f)
	o.policyFlag(f)
	if err := o.parseTarget(f, args); err != nil {
		return err
	}
	j, err := c.open(ctx, o)
	if err != nil {
		return err
	}
	defer j.Close()
	r, err := j.Load(ctx)
	if err != nil {
		return err
	}
	if err := j.Keep(); err != nil {
		return err
	}
	return c.printOutcome(r, nil)
}

// exec jumps to what load loaded, or loads it again if the list has changed.
func (c *command) exec(ctx context.Context, args []string) error {
	f := c.flagSet("exec")
	c.jsonFlag(f)
	if err := parseFlags(f, args); err != nil {
		return err
	}
	if err := kernelfs.MountAll(); err != nil {
		return err
	}
	j, err := carry.Resume(carry.Options{Log: c.step, Debug: c.detail, Jumping: c.jumping})
	if err != nil {
		return err
	}
	defer j.Close()
	return j.Exec(ctx)
}

// unload drops what is loaded.
func (c *command) unload(_ context.Context, args []string) error {
	if err := parseFlags(c.flagSet("unload"), args); err != nil {
		return err
	}
	if err := kernelfs.MountAll(); err != nil {
		return err
	}
	if err := carry.Unload(carry.Options{}); err != nil {
		return err
	}
	c.step("nothing is loaded any more")
	return nil
}
