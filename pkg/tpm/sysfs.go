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

// ErrNoTPM means that the kernel has no TPM, or no driver for it.
var ErrNoTPM = refusal.New(refusal.NoTPM, "no TPM")

// errNoBank means that sysfs shows a TPM, but not its registers.
var errNoBank = errors.New("no bank that is known, and no PCRs of TPM 1.2")

// device is the TPM that IMA uses: the first one.
const device = "sys/class/tpm/tpm0"

// A Reading is one register in all banks.
type Reading struct {
	// PCRs are those of banks that can be replayed, in the order of
	// pcr.Algorithms.
	PCRs []pcr.Value
	// Unknown are the names of other banks.
	Unknown []string
	// Counter is how often the TPM's PCRs had been updated; nil where it
	// was not asked.
	Counter *uint32
}

// known reports whether a bank can be replayed, and keeps the name of one that
// cannot.
func (r *Reading) known(bank string) bool {
	ok := pcr.Algorithm(bank).Size() > 0
	if !ok {
		r.Unknown = append(r.Unknown, bank)
	}
	return ok
}

// sort brings the banks into the order of pcr.Algorithms.
func (r *Reading) sort() {
	slices.SortFunc(r.PCRs, func(a, b pcr.Value) int {
		return slices.Index(pcr.Algorithms, a.Algorithm) - slices.Index(pcr.Algorithms, b.Algorithm)
	})
}

// Same reports whether both readings show the same values.
func (r *Reading) Same(o *Reading) bool {
	return slices.EqualFunc(r.PCRs, o.PCRs, func(a, b pcr.Value) bool {
		return a.Algorithm == b.Algorithm && bytes.Equal(a.Value, b.Value)
	})
}

// ReadPCR reads a register from the sysfs under root ("/"). Each bank costs
// one command of the TPM.
//
// Sources: drivers/char/tpm/tpm-sysfs.c (pcr-<hash>/<index> of TPM 2.0 since
// Linux 5.12, upper-case digits; pcrs of TPM 1.2), and
// crypto/hash_info.c for the names.
func ReadPCR(root string, index int) (*Reading, error) {
	dir := filepath.Join(root, device)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s does not exist", ErrNoTPM, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("TPM: %w", err)
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
			return nil, fmt.Errorf("TPM: %w", err)
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

// readPCRs12 reads a line "PCR-10: AA BB …" of TPM 1.2's one file.
func readPCRs12(path string, index int) (pcr.Value, error) {
	f, err := os.Open(path)
	if err != nil {
		return pcr.Value{}, fmt.Errorf("TPM: %w: %w", errNoBank, err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
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
		return pcr.Value{}, fmt.Errorf("TPM: %s: %w", path, err)
	}
	return pcr.Value{}, fmt.Errorf("TPM: %s has no PCR %d", path, index)
}
