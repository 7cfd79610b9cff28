// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"flag"

	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/kernelfs"
)

// bootFlags are all that boot takes.
func (c *command) bootFlags(f *flag.FlagSet, o *options, d *discovery) {
	c.jsonFlag(f)
	o.policyFlag(f)
	o.targetFlags(f)
	d.flags(f)
	d.chooseFlags(f)
}

// boot is the whole path.
func (c *command) boot(f *flag.FlagSet) action {
	o, d := &options{}, &discovery{}
	c.bootFlags(f, o, d)
	return func(ctx context.Context, args []string) error {
		found := d
		if len(args) == 1 {
			found = nil
		}
		// Usage comes before anything is touched.
		if err := o.check(found); err != nil {
			return err
		}
		if err := c.configure(f); err != nil {
			return err
		}
		if err := o.check(found); err != nil {
			return err
		}
		if found != nil {
			return c.bootFound(ctx, o, d)
		}
		if d.url != "" || d.entry != "" || len(d.checksums) > 0 {
			return usagef("--url, --entry and --checksum go without a KERNEL")
		}
		o.take(args[0])
		return c.bootTarget(ctx, o)
	}
}

// bootTarget returns only with an error.
func (c *command) bootTarget(ctx context.Context, o *options) error {
	j, err := c.open(ctx, o)
	if err != nil {
		return err
	}
	defer j.Close()
	_, err = j.Load(ctx)
	c.sawTPM = c.sawTPM || j.SawTPM()
	if err != nil {
		return err
	}
	return j.Exec(ctx)
}

// load does all but the jump.
func (c *command) load(f *flag.FlagSet) action {
	o := &options{}
	c.jsonFlag(f)
	o.policyFlag(f)
	o.targetFlags(f)
	return func(ctx context.Context, args []string) error {
		j, err := c.openNamed(ctx, o, args[0])
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
}

// exec loads again what load loaded, and jumps to it.
func (c *command) exec(f *flag.FlagSet) action {
	o := &options{}
	c.jsonFlag(f)
	o.quiesceFlag(f)
	return func(ctx context.Context, _ []string) error {
		if err := kernelfs.MountAll(); err != nil {
			return err
		}
		j, err := carry.Resume(carry.Options{Quiesce: o.Quiesce, Log: c.step, Debug: c.detail, Jumping: c.jumping})
		if err != nil {
			return err
		}
		defer j.Close()
		return j.Exec(ctx)
	}
}

// unload drops what is loaded.
func (c *command) unload(*flag.FlagSet) action {
	return func(context.Context, []string) error {
		if err := kernelfs.MountAll(); err != nil {
			return err
		}
		if err := carry.Unload(carry.Options{}); err != nil {
			return err
		}
		c.step("nothing is loaded any more")
		return nil
	}
}
