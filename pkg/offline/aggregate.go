// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package offline

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// An Aggregate compares the boot_aggregate of the first kernel with the registers
// that firmware and loaders extend. Later kernels are not compared: whoever can
// choose a file's name can make what looks like their boot_aggregate.
type Aggregate struct {
	// Verdict is match or boot-aggregate-mismatch; "" if nothing could be
	// compared.
	Verdict refusal.Name `json:"verdict,omitempty"`
	// PCRs are the registers that the boot_aggregate is the digest of.
	PCRs string `json:"pcrs,omitempty"`
	// Text says it for people.
	Text string `json:"text"`
}

// aggregate returns nil if none of the registers is given, or if the list does
// not begin with the boot_aggregate of a kernel that found a TPM.
func (c *comparison) aggregate(r *handover.Report) *Aggregate {
	if !c.hasFirmware() || len(r.Hops) == 0 || r.Hops[0].BootAggregate == "" || r.Hops[0].NoTPM {
		return nil
	}
	text := r.Hops[0].BootAggregate
	name, digits, ok := strings.Cut(strings.TrimPrefix(text, "ima:"), ":")
	if !ok {
		name, digits = string(pcr.SHA1), text
	}
	v, err := pcr.New(name, digits)
	if err != nil {
		return &Aggregate{Text: fmt.Sprintf("boot_aggregate was not compared: %v", err)}
	}
	got := c.explain(v)
	if got.Verdict == refusal.AggregateMismatch {
		got.Text = fmt.Sprintf("boot_aggregate %s is the digest neither of PCRs 0-7 nor of PCRs 0-9", text)
		if len(r.Hops) > 1 && v.Algorithm != pcr.SHA1 {
			got.Text += "; was PCR 8 or 9 extended before a later kernel started?"
		}
	}
	return got
}

// firmwarePCRs is the number of registers, from PCR 0, that every boot_aggregate
// covers; bootPCRs includes those that a loader extends. A kernel leaves these out
// in the SHA-1 bank, and before Linux 5.8 in all banks
// (ima_calc_boot_aggregate_tfm of security/integrity/ima/ima_crypto.c).
const (
	firmwarePCRs = 8
	bootPCRs     = 10
)

func (c *comparison) hasFirmware() bool {
	for index := range bootPCRs {
		if c.values.Register(index) != nil {
			return true
		}
	}
	return false
}

// explain finds the registers that a boot_aggregate is the digest of.
func (c *comparison) explain(want pcr.Value) *Aggregate {
	a := want.Algorithm
	var content []byte
	match := func() bool { return bytes.Equal(a.Sum(content), want.Value) }
	found := func(pcrs string) *Aggregate {
		return &Aggregate{refusal.Match, pcrs, fmt.Sprintf("boot_aggregate is that of PCRs %s as they are given", pcrs)}
	}
	for index := range bootPCRs {
		if index == firmwarePCRs && match() {
			return found("0-7")
		}
		if index == firmwarePCRs && a == pcr.SHA1 {
			return &Aggregate{Verdict: refusal.AggregateMismatch}
		}
		value, ok := c.values.Find(index, a)
		if !ok {
			return &Aggregate{Text: fmt.Sprintf("boot_aggregate was not compared: PCR %d of %s is not given", index, a)}
		}
		content = append(content, value...)
	}
	switch {
	case match():
		return found("0-9")
	case len(bytes.Trim(content, "\x00")) == 0:
		// Files for evmctl need all registers, so people fill them up.
		return &Aggregate{Text: "boot_aggregate was not compared: PCRs 0 to 9 are all given as zero"}
	}
	return &Aggregate{Verdict: refusal.AggregateMismatch}
}
