// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
)

// extend extends a register in one bank, or in all banks that IMA extends. The
// default register is PCR 10.
func extend(pcr int, bank string) error {
	if pcr == 0 {
		pcr = 10
	}
	tpm, err := linuxtpm.Open("/dev/tpmrm0")
	if err != nil {
		return err
	}
	defer tpm.Close()
	var digests []tpm2.TPMTHA
	for _, a := range []struct {
		name string
		id   tpm2.TPMAlgID
		size int
	}{{"sha1", tpm2.TPMAlgSHA1, 20}, {"sha256", tpm2.TPMAlgSHA256, 32}, {"sha384", tpm2.TPMAlgSHA384, 48}, {"sha512", tpm2.TPMAlgSHA512, 64}} {
		if bank != "all" && bank != a.name {
			continue
		}
		digests = append(digests, tpm2.TPMTHA{HashAlg: a.id, Digest: bytes.Repeat([]byte{0x5a}, a.size)})
	}
	_, err = tpm2.PCRExtend{
		PCRHandle: tpm2.AuthHandle{Handle: tpm2.TPMHandle(pcr), Auth: tpm2.PasswordAuth(nil)},
		Digests:   tpm2.TPMLDigestValues{Digests: digests},
	}.Execute(tpm)
	if err != nil {
		return fmt.Errorf("extend PCR %d: %w", pcr, err)
	}
	return nil
}
