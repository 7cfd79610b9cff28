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

// Read reads a register in all banks from the sysfs under root (normally "/").
// If sysfs has no PCRs, as before Linux 5.12, it reads from the device. If the
// device answers, Read reads the update counter first. An equal counter later
// shows that no PCR has changed since then. The error wraps ErrNoTPM if there
// is no TPM.
func Read(root string, index int) (*Reading, error) {
	dev, err := linuxtpm.Open(filepath.Join(root, DeviceFile))
	if err != nil {
		// The TPM is a TPM 1.2, or the device file is missing.
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

// Counter reads the TPM's update counter. It returns nil if the counter cannot
// be read.
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
