// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package tpm reads and extends the TPM's PCRs.
package tpm

import (
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2/transport"
)

// Read reads registers in all banks from sysfs. If sysfs has no PCRs, as before
// Linux 5.12, it reads from the device. If the device answers, Read reads the
// update counter first. A counter that later equals that of the first reading
// shows that no PCR has changed since then. Its errors never wrap ErrNoTPM: a TPM
// that was found and cannot be read is not taken for none.
func (c *Chip) Read(indexes ...int) (Readings, error) {
	dev, err := c.Open()
	if err != nil {
		return c.read(nil, err, indexes)
	}
	defer dev.Close()
	return c.read(dev, nil, indexes)
}

// read reads registers. dev is nil if the device cannot be opened, for the
// reason of devErr.
func (c *Chip) read(dev transport.TPM, devErr error, indexes []int) (Readings, error) {
	var counter *uint32
	if dev != nil {
		if n, err := UpdateCounter(dev); err == nil {
			counter = &n
		}
	}
	var out Readings
	for _, index := range indexes {
		r, err := c.readSysfs(index)
		switch {
		case err == nil:
			r.Counter = counter
		case dev != nil && (errors.Is(err, errNoPCRs) || errors.Is(err, errSilent)):
			r, err = ReadDevice(dev, index)
		case devErr != nil:
			err = fmt.Errorf("%s: %w; %s", c.Name(), err, devErr.Error())
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Counter reads the TPM's update counter. It returns nil if the counter cannot
// be read.
func (c *Chip) Counter() *uint32 {
	dev, err := c.Open()
	if err != nil {
		return nil
	}
	defer dev.Close()
	n, err := UpdateCounter(dev)
	if err != nil {
		return nil
	}
	return &n
}

// Open opens the TPM 2.0 that IMA uses, under root (normally "/"). Its errors wrap
// ErrNoTPM2, and also ErrNoTPM if there is no TPM at all.
func Open(root string) (transport.TPMCloser, error) {
	c, err := Find(root)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTPM2, err)
	}
	return c.Open()
}
