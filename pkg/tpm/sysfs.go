// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tpm

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrNoTPM means that the machine has no TPM, or the kernel no driver for it.
var ErrNoTPM = refusal.New(refusal.NoTPM, "no TPM")

// errSilent means that there is a TPM, but that it does not answer, or that it
// left while it was asked. Nobody must take that for a machine without a TPM.
var errSilent = refusal.New(refusal.NoTPM, "the TPM does not answer")

// errNoBank means that sysfs shows a TPM, but none of its registers.
var errNoBank = errors.New("no known bank, and no PCRs of a TPM 1.2")

// device is the TPM that IMA uses: the first one.
const device = "sys/class/tpm/tpm0"

// A Reading is the value of one register in all banks.
type Reading struct {
	// PCRs holds the banks that can be replayed, in the order of
	// pcr.Algorithms.
	PCRs []pcr.Value
	// Unknown holds the names of the other banks.
	Unknown []string
	// Counter is the TPM's update counter before the values were read, or
	// nil if it was not read. See UpdateCounter.
	Counter *uint32
}

// known reports whether a bank can be replayed. If not, it adds the bank's name
// to Unknown.
func (r *Reading) known(bank string) bool {
	ok := pcr.Algorithm(bank).Size() > 0
	if !ok {
		r.Unknown = append(r.Unknown, bank)
	}
	return ok
}

// sort puts the banks into the order of pcr.Algorithms.
func (r *Reading) sort() {
	slices.SortFunc(r.PCRs, func(a, b pcr.Value) int {
		return slices.Index(pcr.Algorithms, a.Algorithm) - slices.Index(pcr.Algorithms, b.Algorithm)
	})
}

// Same reports whether both readings have the same values.
func (r *Reading) Same(o *Reading) bool {
	return slices.EqualFunc(r.PCRs, o.PCRs, func(a, b pcr.Value) bool {
		return a.Algorithm == b.Algorithm && bytes.Equal(a.Value, b.Value)
	})
}

// ReadPCR reads a register from the sysfs under root (normally "/"). Each bank
// takes one TPM command. Without a TPM the error wraps ErrNoTPM.
//
// Sources: drivers/char/tpm/tpm-sysfs.c (pcr-<hash>/<index> of TPM 2.0 since
// Linux 5.12, upper-case digits; pcrs of TPM 1.2), and crypto/hash_info.c for
// the names.
func ReadPCR(root string, index int) (*Reading, error) {
	dir := filepath.Join(root, device)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist", ErrNoTPM, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSilent, err)
	}
	out := &Reading{}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), "pcr-")
		if !ok {
			continue
		}
		if !out.known(name) {
			continue
		}
		path := filepath.Join(dir, e.Name(), fmt.Sprint(index))
		value, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSilent, err)
		}
		if len(value) == 0 {
			return nil, fmt.Errorf("%w: %s is empty", errSilent, path)
		}
		p, err := pcr.New(name, string(value))
		if err != nil {
			return nil, fmt.Errorf("TPM: %s: %w", path, err)
		}
		out.PCRs = append(out.PCRs, p)
	}
	out.sort()
	if len(out.PCRs) == 0 {
		p, err := readPCRs12(filepath.Join(dir, "pcrs"), index)
		if err != nil {
			return nil, err
		}
		out.PCRs = []pcr.Value{p}
	}
	return out, nil
}

// readPCRs12 reads the line "PCR-10: AA BB …" from the one file of a TPM 1.2.
func readPCRs12(path string, index int) (pcr.Value, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return pcr.Value{}, fmt.Errorf("TPM: %w: %w", errNoBank, err)
	}
	if err != nil {
		return pcr.Value{}, fmt.Errorf("%w: %w", errSilent, err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	empty := true // as of a TPM that leaves
	for s.Scan() {
		empty = false
		value, ok := strings.CutPrefix(s.Text(), fmt.Sprintf("PCR-%02d:", index))
		if !ok {
			continue
		}
		p, err := pcr.New(string(pcr.SHA1), strings.ReplaceAll(value, " ", ""))
		if err != nil {
			return pcr.Value{}, fmt.Errorf("TPM: %s: %w", path, err)
		}
		return p, nil
	}
	if err := s.Err(); err != nil {
		return pcr.Value{}, fmt.Errorf("%w: %s: %w", errSilent, path, err)
	}
	if empty {
		return pcr.Value{}, fmt.Errorf("%w: %s is empty", errSilent, path)
	}
	return pcr.Value{}, fmt.Errorf("TPM: %s has no PCR %d", path, index)
}
