// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"errors"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// Why a download fails. Each is wrapped with the URL and the number of the
// attempt.
var (
	// ErrNotFound means status 404 or 410 of HTTP, or error code 1 of TFTP.
	ErrNotFound = refusal.New(refusal.ServerLacksFile, "no such file on the server")
	// ErrRefused means that the server, or this package, gave an answer that
	// another attempt would not change.
	ErrRefused = refusal.New(refusal.ServerRefused, "download refused")
	// ErrTimeout means that the server sent nothing for Limits.Idle, or that
	// the context's deadline passed.
	ErrTimeout = refusal.New(refusal.ServerSilent, "server did not answer in time")
	// ErrTooBig means that a file has more than Limits.MaxSize bytes, or a
	// text more than entry.MaxConfig bytes.
	ErrTooBig = refusal.New(refusal.DownloadTooBig, "file is too big")
	// ErrSum means that a file's size or digest is not the expected one.
	ErrSum = refusal.New(refusal.WrongChecksum, "file is not the expected one")
	// ErrCertificate means that the server's certificate does not verify.
	ErrCertificate = refusal.New(refusal.BadCertificate, "server's certificate is not trusted")

	// errBroken means that a transfer ended early. Another attempt may help.
	errBroken = errors.New("transfer is incomplete")
	// errLocal means that the file could not be written on this machine.
	errLocal = errors.New("cannot store")
)
