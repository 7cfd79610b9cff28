// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package tpm reads and extends the TPM's PCRs.
package tpm

import (
	"errors"
	"path/filepath"

	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
)

// Read reads a register in all banks: from sysfs under root ("/"), or where
// that has none, as before Linux 5.12, from the device. Where there is a
// device that answers, the counter of updates is read first, so that an equal
// one later shows that nothing moved since before the values were read.
func Read(root string, index int) (*Reading, error) {
	dev, err := linuxtpm.Open(filepath.Join(root, DeviceFile))
	if err != nil {
		// TPM 1.2, or nobody made the file.
		return ReadPCR(root, index)
	}
	defer dev.Close()
	return read(dev, root, index)
}

func read(dev transport.TPM, root string, index int) (*Reading, error) {
	counter, counterErr := UpdateCounter(dev)
	r, err := ReadPCR(root, index)
	if errors.Is(err, ErrNoTPM) || errors.Is(err, errNoBank) {
		return ReadDevice(dev, index)
	}
	if err == nil && counterErr == nil {
		r.Counter = &counter
	}
	return r, err
}

// Counter reads the counter of updates again; nil where it cannot be had.
func Counter(root string) *uint32 {
	dev, err := linuxtpm.Open(filepath.Join(root, DeviceFile))
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
