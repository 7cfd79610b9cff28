// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"errors"

	"github.com/imaboot/imaboot/pkg/disk"
	"github.com/imaboot/imaboot/pkg/handover"
)

// devices are the machine's, as they come.
type devices struct {
	*command
	// events is nil for a kernel that announces none.
	events  *disk.Events
	modules *disk.Modules
	// seen is the number of the last event that was looked at.
	seen uint64
}

// watch begins to listen, and loads what the devices need that are there.
func (c *command) watch() (*devices, error) {
	release, err := handover.KernelRelease("/")
	if err != nil {
		return nil, err
	}
	d := &devices{command: c}
	if d.events, err = disk.Listen(); err != nil {
		c.step("devices that come late are not seen: %v", err)
		d.events = nil
	} else if d.seen, err = disk.Sequence("/"); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if d.modules, err = disk.NewModules("/", release, c.detail); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if n := d.modules.Cold("/"); n > 0 {
		c.step("modules: %d tried for the devices that are there", n)
	}
	return d, nil
}

func (d *devices) close() error {
	if d.events == nil {
		return nil
	}
	return d.events.Close()
}

// until calls f at first, at each event of a subsystem, and when everything
// that the kernel has announced so far was looked at: which device comes first
// does not depend on luck. It ends when f says so, and without an error when
// the time of ctx has passed.
func (d *devices) until(ctx context.Context, subsystem string, f func(settled bool) (done bool, err error)) error {
	if d.events == nil {
		_, err := f(true)
		return err
	}
	wasSettled, look := false, true
	for {
		last, err := disk.Sequence("/")
		if err != nil {
			return err
		}
		settled := d.seen >= last
		if look || settled != wasSettled {
			if done, err := f(settled); done || err != nil {
				return err
			}
		}
		wasSettled = settled
		e, err := d.events.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if e.Lost {
			// What is still in the socket is older than this.
			if d.seen, err = disk.Sequence("/"); err != nil {
				return err
			}
			d.modules.Cold("/")
		}
		d.seen = max(d.seen, e.Seq)
		if e.Modalias != "" && e.Action == "add" {
			d.modules.Device(e.Modalias)
		}
		look = e.Subsystem == subsystem || e.Lost
	}
}
