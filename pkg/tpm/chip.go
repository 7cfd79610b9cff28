// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tpm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"

	"github.com/imaboot/imaboot/pkg/refusal"
)

var (
	// ErrNoTPM means that the machine has no TPM, or the kernel no driver
	// for it.
	ErrNoTPM = refusal.New(refusal.NoTPM, "no TPM")
	// ErrNoTPM2 means that there is no TPM that can be opened as a TPM 2.0.
	ErrNoTPM2 = refusal.New(refusal.NoTPM, "a TPM 2.0 is needed")
)

const (
	classDir = "sys/class/tpm"
	devDir   = "dev"
	// Names of TPMs, without their number. The device behind the kernel's
	// resource manager can be used by several programs at the same time. It
	// exists for every TPM 2.0 since Linux 4.12.
	plainName   = "tpm"
	managedName = "tpmrm"
)

// A Chip is the TPM that IMA uses.
type Chip struct {
	// Number is the kernel's: the 0 of tpm0.
	Number int `json:"number"`
	// Others are the numbers of the machine's other TPMs.
	Others []int `json:"others,omitempty"`

	root string
}

// Find returns the TPM that IMA uses: the one with the lowest number
// (tpm_default_chip of drivers/char/tpm/tpm-chip.c). It looks in the sysfs and
// then in the devices under root (normally "/"). Without a TPM the error wraps
// ErrNoTPM.
func Find(root string) (*Chip, error) {
	var all []int
	for _, where := range []struct{ dir, name string }{{classDir, plainName}, {devDir, managedName}, {devDir, plainName}} {
		numbers, err := numbered(filepath.Join(root, where.dir), where.name)
		if err != nil {
			return nil, fmt.Errorf("TPM: %w", err)
		}
		if len(numbers) > 0 {
			all = numbers
			break
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: %s lists none", ErrNoTPM, filepath.Join(root, classDir))
	}
	return &Chip{Number: all[0], Others: all[1:], root: root}, nil
}

// numbered returns, in order, the numbers behind a name in a directory.
func numbered(dir, name string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []int
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), name)
		n, err := strconv.Atoi(digits)
		if ok && err == nil && n >= 0 && strconv.Itoa(n) == digits {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Name returns the kernel's name of the TPM, such as tpm0.
func (c *Chip) Name() string { return plainName + strconv.Itoa(c.Number) }

// String returns the name, and those of the TPMs that are not used.
func (c *Chip) String() string {
	if len(c.Others) == 0 {
		return c.Name()
	}
	var names []string
	for _, n := range c.Others {
		names = append(names, plainName+strconv.Itoa(n))
	}
	return fmt.Sprintf("%s, which IMA uses, and not %s", c.Name(), strings.Join(names, " or "))
}

// FirmwareLog returns the file that holds what the firmware and its loader
// handed to the kernel (drivers/char/tpm/eventlog/common.c).
func (c *Chip) FirmwareLog() string {
	return filepath.Join(c.root, "sys/kernel/security", c.Name(), "binary_bios_measurements")
}

func (c *Chip) dir() string { return filepath.Join(c.root, classDir, c.Name()) }

// Open opens the TPM if it is a TPM 2.0: /dev/tpmrm0, or /dev/tpm0 if the kernel
// has no resource manager. Its errors wrap ErrNoTPM2.
func (c *Chip) Open() (transport.TPMCloser, error) {
	if c.isTPM12() {
		return nil, fmt.Errorf("%w: %s is a TPM 1.2", ErrNoTPM2, c.Name())
	}
	dev, err := linuxtpm.Open(filepath.Join(c.root, devDir, managedName+strconv.Itoa(c.Number)))
	if errors.Is(err, fs.ErrNotExist) {
		var plainErr error
		if dev, plainErr = linuxtpm.Open(filepath.Join(c.root, devDir, c.Name())); plainErr != nil {
			err = fmt.Errorf("%w; %w", err, plainErr)
		} else {
			err = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTPM2, err)
	}
	return dev, nil
}

// isTPM12 reports whether the kernel says that this is a TPM 1.2
// (tpm_version_major since Linux 5.6; pcrs exists for no TPM 2.0).
func (c *Chip) isTPM12() bool {
	b, err := os.ReadFile(filepath.Join(c.dir(), "tpm_version_major"))
	if err == nil {
		return strings.TrimSpace(string(b)) == "1"
	}
	_, err = os.Stat(filepath.Join(c.dir(), pcrsFile))
	return err == nil
}
