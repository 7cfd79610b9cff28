// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tpm

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// banks are the algorithms of TPM 2.0 (TCG Algorithm Registry), and the names
// that the kernel gives to their banks (drivers/char/tpm/tpm2-cmd.c).
var banks = map[tpm2.TPMAlgID]string{
	tpm2.TPMAlgSHA1: string(pcr.SHA1), tpm2.TPMAlgSHA256: string(pcr.SHA256),
	tpm2.TPMAlgSHA384: string(pcr.SHA384), tpm2.TPMAlgSHA512: string(pcr.SHA512),
	tpm2.TPMAlgSM3256: "sm3",
}

// bankName returns the kernel's name of a bank; without one, it returns the
// algorithm's number as the kernel does.
func bankName(a tpm2.TPMAlgID) string {
	if name, ok := banks[a]; ok {
		return name
	}
	return fmt.Sprintf("tpm_alg_%x", uint16(a))
}

const (
	// readTries bounds how often a register that changes is read again, and
	// busyTries how often a busy TPM is asked again. busyWait doubles each
	// time.
	readTries = 5
	busyTries = 6
	busyWait  = 10 * time.Millisecond
)

// ErrMoving means that a register changed every time while its banks were read.
var ErrMoving = refusal.New(refusal.KeepsGrowing, "PCR keeps changing")

// ReadDevice reads a register in all banks that have it, by TPM2_PCR_Read. All
// values are from the same moment: the TPM's update counter did not change. If
// it changes every time, the error wraps ErrMoving.
func ReadDevice(t transport.TPM, index int) (*Reading, error) {
	all, err := allocated(t, index)
	if err != nil {
		return nil, err
	}
	for range readTries {
		r, err := readAll(t, index, all)
		if err != nil || r != nil {
			return r, err
		}
	}
	return nil, fmt.Errorf("%w: PCR %d of %d banks was read %d times", ErrMoving, index, len(all), readTries)
}

// UpdateCounter returns how often a PCR of the TPM was extended or reset since
// the TPM was started (TPM 2.0 Library, Part 1, 17.9).
func UpdateCounter(t transport.TPM) (uint32, error) {
	rsp, err := execute(func() (*tpm2.PCRReadResponse, error) { return tpm2.PCRRead{}.Execute(t) })
	if err != nil {
		return 0, fmt.Errorf("TPM2_PCR_Read: %w", err)
	}
	return rsp.PCRUpdateCounter, nil
}

// allocated returns the banks that have the register.
func allocated(t transport.TPM, index int) ([]tpm2.TPMAlgID, error) {
	rsp, err := execute(func() (*tpm2.GetCapabilityResponse, error) {
		return tpm2.GetCapability{Capability: tpm2.TPMCapPCRs, PropertyCount: 1}.Execute(t)
	})
	if err != nil {
		return nil, fmt.Errorf("TPM2_GetCapability: %w", err)
	}
	assigned, err := rsp.CapabilityData.Data.AssignedPCR()
	if err != nil {
		return nil, fmt.Errorf("TPM2_GetCapability: %w", err)
	}
	var out []tpm2.TPMAlgID
	for _, s := range assigned.PCRSelections {
		if selected(s, index) {
			out = append(out, s.Hash)
		}
	}
	return out, nil
}

func selected(s tpm2.TPMSPCRSelection, index int) bool {
	return index/8 < len(s.PCRSelect) && s.PCRSelect[index/8]&(1<<(index%8)) != 0
}

// readAll reads a register until every bank has answered, because a TPM may
// return some banks only in answer to a further command. It returns nil if the
// register changed meanwhile.
func readAll(t transport.TPM, index int, left []tpm2.TPMAlgID) (*Reading, error) {
	out := &Reading{Index: index}
	for first := true; len(left) > 0; first = false {
		var in tpm2.TPMLPCRSelection
		for _, a := range left {
			in.PCRSelections = append(in.PCRSelections, tpm2.TPMSPCRSelection{Hash: a, PCRSelect: tpm2.PCClientCompatible.PCRs(uint(index))})
		}
		rsp, err := execute(func() (*tpm2.PCRReadResponse, error) { return tpm2.PCRRead{PCRSelectionIn: in}.Execute(t) })
		if err != nil {
			return nil, fmt.Errorf("TPM2_PCR_Read: %w", err)
		}
		if !first && rsp.PCRUpdateCounter != *out.Counter {
			return nil, nil
		}
		out.Counter = &rsp.PCRUpdateCounter
		values := rsp.PCRValues.Digests
		for _, s := range rsp.PCRSelectionOut.PCRSelections {
			if !selected(s, index) {
				continue
			}
			if len(values) == 0 || !slices.Contains(left, s.Hash) {
				return nil, fmt.Errorf("TPM2_PCR_Read: the values in the answer do not match its selection")
			}
			if name := bankName(s.Hash); out.known(name) {
				p, err := pcr.New(name, hex.EncodeToString(values[0].Buffer))
				if err != nil {
					return nil, fmt.Errorf("TPM2_PCR_Read: %w", err)
				}
				out.PCRs = append(out.PCRs, p)
			}
			values = values[1:]
			left = slices.DeleteFunc(slices.Clone(left), func(a tpm2.TPMAlgID) bool { return a == s.Hash })
		}
		if len(rsp.PCRValues.Digests) == 0 {
			return nil, fmt.Errorf("TPM2_PCR_Read: no value of PCR %d in %d banks", index, len(left))
		}
	}
	out.sort()
	return out, nil
}

// execute repeats a command while the TPM says that it is busy. An error that is
// no answer of the TPM wraps errSilent.
func execute[T any](f func() (T, error)) (T, error) {
	for try := 1; ; try++ {
		rsp, err := f()
		busy := errors.Is(err, tpm2.TPMRCRetry) || errors.Is(err, tpm2.TPMRCYielded) || errors.Is(err, tpm2.TPMRCTesting)
		if !busy || try == busyTries {
			return rsp, answered(err)
		}
		time.Sleep(busyWait << try)
	}
}

// answered tells an answer of the TPM from a device that fails.
func answered(err error) error {
	var code tpm2.TPMRC
	if err == nil || errors.As(err, &code) {
		return err
	}
	return fmt.Errorf("%w: %w", errSilent, err)
}
