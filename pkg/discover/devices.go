// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/imaboot/imaboot/pkg/disk"
)

// devices follows the kernel's events of devices, and loads modules for them.
type devices struct {
	root string
	// events is nil if the kernel announces no devices.
	events  *disk.Events
	modules *disk.Modules
	// poll, unless it is 0, is how long until waits for an event at most.
	poll time.Duration
	// seen is the number of the last event that was handled.
	seen uint64
}

// watch starts to listen, and loads modules for the devices that exist.
func watch(root string, log, debug func(string, ...any)) (_ *devices, err error) {
	d := &devices{root: root}
	if d.events, err = disk.Listen(); err != nil {
		log("devices that come late are not seen: %v", err)
		d.events = nil
	} else if d.seen, err = disk.Sequence(root); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if d.modules, err = disk.NewModules(root, debug); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if n := d.modules.Cold(root); n > 0 {
		log("modules: %d tried for the devices that are there", n)
	}
	return d, nil
}

func (d *devices) close() error {
	if d.events == nil {
		return nil
	}
	return d.events.Close()
}

// next waits for an event. The error wraps os.ErrDeadlineExceeded if none came in
// time.
func (d *devices) next(ctx context.Context) (disk.Event, error) {
	if d.poll > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.poll)
		defer cancel()
	}
	return d.events.Next(ctx)
}

// until calls f once at the start, after each event of a subsystem, and when all
// events that the kernel has sent so far are handled (settled). Whoever decides
// only then does not depend on which device came first. until returns when f is
// done, and returns nil when ctx ends.
func (d *devices) until(ctx context.Context, subsystem string, f func(settled bool) (done bool, err error)) error {
	if d.events == nil {
		_, err := f(true)
		return err
	}
	wasSettled, look := false, true
	for {
		last, err := disk.Sequence(d.root)
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
		e, err := d.next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			look = true
			continue
		}
		if err != nil {
			return err
		}
		if e.Lost {
			// Events that are still in the socket are older than this.
			if d.seen, err = disk.Sequence(d.root); err != nil {
				return err
			}
			d.modules.Cold(d.root)
		}
		d.seen = max(d.seen, e.Seq)
		if e.Modalias != "" && e.Action == "add" {
			d.modules.Device(e.Modalias)
		}
		look = e.Subsystem == subsystem || e.Lost
	}
}
