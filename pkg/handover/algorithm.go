// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"crypto/sha1" //nolint:gosec // the kernel's template digest
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Algorithm is the hash of a PCR bank, by the kernel's name for it.
type Algorithm string

// Banks that can be replayed.
const (
	SHA1   Algorithm = "sha1"
	SHA256 Algorithm = "sha256"
	SHA384 Algorithm = "sha384"
	SHA512 Algorithm = "sha512"
)

// Algorithms are all of them, in the order of reports.
var Algorithms = []Algorithm{SHA1, SHA256, SHA384, SHA512}

// Size is the length of a digest in bytes, 0 for an unknown algorithm.
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

// maxDigest is the size of the largest bank's digest.
const maxDigest = sha512.Size

// hash writes the digest of b to dst, which has the algorithm's size and may
// be a part of b.
type hash func(dst, b []byte)

// hash returns the algorithm's function, chosen once and not for each record.
func (a Algorithm) hash() hash {
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

// Sum is the digest of b by a known algorithm.
func (a Algorithm) Sum(b []byte) []byte {
	out := make([]byte, a.Size())
	a.hash()(out, b)
	return out
}

// A PCR is one bank's value of the register that is compared.
type PCR struct {
	Algorithm Algorithm
	Value     []byte
}

// ErrPCR is wrapped by what is wrong with a PCR's value.
var ErrPCR = errors.New("bad PCR value")

// ParsePCR reads ALG=HEX, as in sha256=d8e6….
func ParsePCR(s string) (PCR, error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return PCR{}, fmt.Errorf("%w: %q is not ALG=HEX", ErrPCR, s)
	}
	return NewPCR(name, value)
}

// NewPCR checks an algorithm's name and a value in hexadecimal digits, of
// either case.
func NewPCR(algorithm, value string) (PCR, error) {
	a := Algorithm(strings.ToLower(algorithm))
	if !slices.Contains(Algorithms, a) {
		return PCR{}, fmt.Errorf("%w: algorithm %q is unknown (known: %v)", ErrPCR, algorithm, Algorithms)
	}
	b, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(value), "0x"))
	if err != nil {
		return PCR{}, fmt.Errorf("%w: %s: %w", ErrPCR, a, err)
	}
	if len(b) != a.Size() {
		return PCR{}, fmt.Errorf("%w: %s has %d bytes, %d are given", ErrPCR, a, a.Size(), len(b))
	}
	return PCR{Algorithm: a, Value: b}, nil
}
