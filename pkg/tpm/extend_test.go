// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tpm

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/internal/testing/softtpm"
	"github.com/imaboot/imaboot/pkg/pcr"
)

// TestExtend extends all banks of a TPM at once, or none.
func TestExtend(t *testing.T) {
	tpm := softtpm.New(t, "sha1,sha256,sha384,sha512")
	banks, err := Banks(tpm, 9)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pcr.Algorithms, banks); diff != "" {
		t.Error(diff)
	}
	digests := map[pcr.Algorithm][]byte{}
	for _, a := range banks {
		digests[a] = a.Sum([]byte("event"))
	}
	if err := Extend(tpm, 9, digests); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		r, err := ReadDevice(tpm, 9)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.PCRs {
			if want := p.Algorithm.Sum(append(make([]byte, p.Algorithm.Size()), digests[p.Algorithm]...)); !bytes.Equal(p.Value, want) {
				t.Errorf("%s: %x, want %x", p.Algorithm, p.Value, want)
			}
		}
	}
	check()
	less := map[pcr.Algorithm][]byte{pcr.SHA1: digests[pcr.SHA1]}
	if err := Extend(tpm, 9, less); !errors.Is(err, ErrExtend) || !strings.Contains(err.Error(), "no digest for the bank sha256") {
		t.Errorf("digests of one bank: %v", err)
	}
	// For a register that does not exist, the TPM returns an error.
	if err := Extend(tpm, 24, digests); !errors.Is(err, ErrExtend) {
		t.Errorf("PCR 24: %v", err)
	}
	check()
}

// TestOpenNone opens the TPM of a machine that has none.
func TestOpenNone(t *testing.T) {
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrNoTPM) {
		t.Errorf("error %v", err)
	}
}
