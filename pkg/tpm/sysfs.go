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
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// Reasons why a TPM that is there cannot be read. They are not ErrNoTPM, so
// nobody takes the machine for one without a TPM.
var (
	// errNoPCRs means that sysfs shows a TPM, but none of its registers.
	errNoPCRs = refusal.New(refusal.NoTPM, "sysfs shows no PCRs")
	// errSilent means that the TPM did not answer.
	errSilent = refusal.New(refusal.NoTPM, "the TPM does not answer")
)

// pcrsFile has all registers of a TPM 1.2.
const pcrsFile = "pcrs"

// A Reading is the value of one register in all banks.
type Reading struct {
	// Index is the number of the register.
	Index int
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

// Readings are the values of several registers, in the order in which they were
// read.
type Readings []*Reading

// Same reports whether both have the same values of the same registers.
func (r Readings) Same(o Readings) bool {
	return slices.EqualFunc(r, o, func(a, b *Reading) bool { return a.Index == b.Index && a.Same(b) })
}

// readSysfs reads a register from sysfs. Each bank takes one TPM command.
//
// Sources: drivers/char/tpm/tpm-sysfs.c (pcr-<hash>/<index> of TPM 2.0 since
// Linux 5.12, upper-case digits; pcrs of TPM 1.2), and crypto/hash_info.c for
// the names.
func (c *Chip) readSysfs(index int) (*Reading, error) {
	entries, err := os.ReadDir(c.dir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", errNoPCRs, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSilent, err)
	}
	out := &Reading{Index: index}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), "pcr-")
		if !ok || !out.known(name) {
			continue
		}
		p, err := readValue(filepath.Join(c.dir(), e.Name(), strconv.Itoa(index)), name)
		if err != nil {
			return nil, err
		}
		out.PCRs = append(out.PCRs, p)
	}
	out.sort()
	if len(out.PCRs)+len(out.Unknown) == 0 {
		p, err := readPCRs12(filepath.Join(c.dir(), pcrsFile), index)
		if err != nil {
			return nil, err
		}
		out.PCRs = []pcr.Value{p}
	}
	return out, nil
}

// readValue reads a file with one value. If the TPM returns an error, the kernel
// shows nothing, or as many zero bytes as the error's number says
// (pcr_value_show).
func readValue(path, bank string) (pcr.Value, error) {
	value, err := os.ReadFile(path)
	if err != nil {
		return pcr.Value{}, fmt.Errorf("%w: %w", errSilent, err)
	}
	if len(bytes.Trim(value, "\x00")) == 0 {
		return pcr.Value{}, fmt.Errorf("%w: %s is empty", errSilent, path)
	}
	p, err := pcr.New(bank, string(value))
	if err != nil {
		return pcr.Value{}, fmt.Errorf("TPM: %s: %w", path, err)
	}
	return p, nil
}

// readPCRs12 reads the line "PCR-10: AA BB …" from the one file of a TPM 1.2.
func readPCRs12(path string, index int) (pcr.Value, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return pcr.Value{}, fmt.Errorf("%w: %w", errNoPCRs, err)
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
