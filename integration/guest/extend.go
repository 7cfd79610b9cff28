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

// extend extends PCR 10 of the banks that IMA extends.
func extend() error {
	tpm, err := linuxtpm.Open("/dev/tpmrm0")
	if err != nil {
		return err
	}
	defer tpm.Close()
	var digests []tpm2.TPMTHA
	for _, a := range []struct {
		id   tpm2.TPMAlgID
		size int
	}{{tpm2.TPMAlgSHA1, 20}, {tpm2.TPMAlgSHA256, 32}, {tpm2.TPMAlgSHA384, 48}, {tpm2.TPMAlgSHA512, 64}} {
		digests = append(digests, tpm2.TPMTHA{HashAlg: a.id, Digest: bytes.Repeat([]byte{0x5a}, a.size)})
	}
	_, err = tpm2.PCRExtend{
		PCRHandle: tpm2.AuthHandle{Handle: tpm2.TPMHandle(10), Auth: tpm2.PasswordAuth(nil)},
		Digests:   tpm2.TPMLDigestValues{Digests: digests},
	}.Execute(tpm)
	if err != nil {
		return fmt.Errorf("extend PCR 10: %w", err)
	}
	return nil
}
