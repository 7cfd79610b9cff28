// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import "errors"

// Why a download fails. Each is wrapped with the URL and the number of the
// attempt.
var (
	// ErrNotFound means status 404 or 410 of HTTP, or error code 1 of TFTP.
	ErrNotFound = errors.New("no such file on the server")
	// ErrRefused means that the server, or this package, gave an answer that
	// another attempt would not change.
	ErrRefused = errors.New("refused")
	// ErrTimeout means that the server sent nothing for Limits.Idle, or that
	// the context's deadline passed.
	ErrTimeout = errors.New("timeout")
	// ErrTooBig means that a file has more than Limits.MaxSize bytes, or a
	// text more than entry.MaxConfig bytes.
	ErrTooBig = errors.New("file is too big")
	// ErrSum means that a file's size or digest is not the expected one.
	ErrSum = errors.New("file is not the expected one")
	// ErrCertificate means that the server's certificate does not verify.
	ErrCertificate = errors.New("server's certificate is not trusted")

	// errBroken means that a transfer ended early. Another attempt may help.
	errBroken = errors.New("transfer is incomplete")
	// errLocal means that the file could not be written on this machine.
	errLocal = errors.New("cannot store")
)
