// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package netboot finds what could be booted over the network, and downloads
// it: DHCP leases, the configurations of PXELINUX and iPXE that they lead to,
// and files by TFTP, HTTP and HTTPS.
//
// DHCP and TFTP are u-root's (pkg/dhclient, pkg/curl). Its HTTP scheme hides
// the header that resuming needs, and its parsers give readers where an entry
// needs names, so these are here.
package netboot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// What is wrong with a download; each is wrapped with URL and attempt.
var (
	// ErrNotFound is HTTP's 404 and 410, and TFTP's code 1.
	ErrNotFound = refusal.New(refusal.ServerLacksFile, "no such file on the server")
	// ErrRefused is another answer that asking again does not change.
	ErrRefused = refusal.New(refusal.ServerRefused, "refused")
	// ErrTimeout is a server that sends nothing for Limits.Idle, or the end
	// of the context's time.
	ErrTimeout = refusal.New(refusal.ServerSilent, "timeout")
	// ErrTooBig is a file of more than Limits.MaxSize, or a text of more than
	// entry.MaxConfig bytes.
	ErrTooBig = refusal.New(refusal.DownloadTooBig, "file is too big")
	// ErrSum is a file of another size or digest than expected.
	ErrSum = refusal.New(refusal.WrongChecksum, "file is not the expected one")
	// ErrCertificate is a server that cannot prove its name.
	ErrCertificate = refusal.New(refusal.BadCertificate, "server's certificate is not trusted")

	// errBroken is a transfer that ended early, and is worth another attempt.
	errBroken = errors.New("transfer is incomplete")
	// errLocal is a failure on this side of the network.
	errLocal = errors.New("cannot store")
)

// A Sum is what is known of a file before it is downloaded.
type Sum struct {
	// Size is in bytes, 0 if unknown.
	Size int64
	// SHA256 is empty if unknown.
	SHA256 []byte
}

// Checksum parses a digest as users give it: sha256: and 64 hexadecimal digits.
func Checksum(s string) (Sum, error) {
	name, digits, _ := strings.Cut(s, ":")
	if name != "sha256" {
		return Sum{}, fmt.Errorf("checksum %q: sha256: must stand in front", s)
	}
	digest, err := hex.DecodeString(digits)
	if err != nil || len(digest) != sha256.Size {
		return Sum{}, fmt.Errorf("checksum %q: must have %d hexadecimal digits", s, 2*sha256.Size)
	}
	return Sum{SHA256: digest}, nil
}
