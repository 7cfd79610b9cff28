// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package pcr names the banks of a TPM's platform configuration registers
// (PCRs) and holds the values of a register.
package pcr

import (
	"crypto/sha1" //nolint:gosec // the kernel's template digest
	"crypto/sha256"
	"crypto/sha512"
)

// An Algorithm is the hash of a PCR bank. Its value is the kernel's name for
// that hash (hash_algo_name of crypto/hash_info.c).
type Algorithm string

// The algorithms that this package can compute.
const (
	SHA1   Algorithm = "sha1"
	SHA256 Algorithm = "sha256"
	SHA384 Algorithm = "sha384"
	SHA512 Algorithm = "sha512"
)

// Algorithms lists the known algorithms in the order in which reports show
// them.
var Algorithms = []Algorithm{SHA1, SHA256, SHA384, SHA512}

// MaxSize is the length of the longest digest in bytes.
const MaxSize = sha512.Size

// Size returns the length of a digest in bytes, or 0 for an unknown algorithm.
func (a Algorithm) Size() int {
	switch a {
	case SHA1:
		return sha1.Size
	case SHA256:
		return sha256.Size
	case SHA384:
		return sha512.Size384
	case SHA512:
		return sha512.Size
	}
	return 0
}

// A Hash writes the digest of b to dst. The length of dst must be the
// algorithm's Size; dst may overlap b.
type Hash func(dst, b []byte)

// Hash returns the function that computes a known algorithm. A caller that
// hashes many values gets it once, so that the algorithm is not looked up for
// each of them; the function allocates nothing.
func (a Algorithm) Hash() Hash {
	switch a {
	case SHA1:
		return func(dst, b []byte) { s := sha1.Sum(b); copy(dst, s[:]) }
	case SHA256:
		return func(dst, b []byte) { s := sha256.Sum256(b); copy(dst, s[:]) }
	case SHA384:
		return func(dst, b []byte) { s := sha512.Sum384(b); copy(dst, s[:]) }
	}
	return func(dst, b []byte) { s := sha512.Sum512(b); copy(dst, s[:]) }
}

// Sum returns the digest of b. The algorithm must be a known one.
func (a Algorithm) Sum(b []byte) []byte {
	out := make([]byte, a.Size())
	a.Hash()(out, b)
	return out
}
