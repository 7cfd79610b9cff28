// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tpm

import (
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrExtend means that a register was not extended in all of its banks.
var ErrExtend = refusal.New(refusal.NotExtended, "the TPM cannot extend the PCR")

// Extend extends a register in all banks at once, by TPM2_PCR_Extend. If
// digests has none for an allocated bank, it extends nothing and returns an
// error: that bank would no longer agree with the others. Its errors wrap
// ErrExtend.
func Extend(t transport.TPM, index int, digests map[pcr.Algorithm][]byte) error {
	all, err := allocated(t, index)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrExtend, err.Error())
	}
	if len(all) == 0 {
		return fmt.Errorf("%w: PCR %d is in no bank", ErrExtend, index)
	}
	var list tpm2.TPMLDigestValues
	for _, a := range all {
		digest, ok := digests[pcr.Algorithm(bankName(a))]
		if !ok {
			return fmt.Errorf("%w: no digest for the bank %s", ErrExtend, bankName(a))
		}
		list.Digests = append(list.Digests, tpm2.TPMTHA{HashAlg: a, Digest: digest})
	}
	_, err = execute(func() (*tpm2.PCRExtendResponse, error) {
		return tpm2.PCRExtend{
			PCRHandle: tpm2.AuthHandle{Handle: tpm2.TPMHandle(index), Auth: tpm2.PasswordAuth(nil)}, //nolint:gosec // a register
			Digests:   list,
		}.Execute(t)
	})
	if err != nil {
		return fmt.Errorf("%w: PCR %d: TPM2_PCR_Extend: %s", ErrExtend, index, err.Error())
	}
	return nil
}

// Banks returns the banks that a register has. If it has none, or one that
// imaboot cannot compute, the error wraps ErrExtend.
func Banks(t transport.TPM, index int) ([]pcr.Algorithm, error) {
	all, err := allocated(t, index)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrExtend, err.Error())
	}
	var out []pcr.Algorithm
	for _, a := range pcr.Algorithms {
		for i := range all {
			if bankName(all[i]) == string(a) {
				out = append(out, a)
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: PCR %d is in no bank", ErrExtend, index)
	}
	if len(out) != len(all) {
		return nil, fmt.Errorf("%w: of %d banks, imaboot can compute only %v", ErrExtend, len(all), out)
	}
	return out, nil
}
