// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package pcr

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// A Value is what a register holds in one bank.
type Value struct {
	// Algorithm is that of the bank.
	Algorithm Algorithm
	// Value has the algorithm's size.
	Value []byte
}

// ErrValue is wrapped by every error of Parse and New.
var ErrValue = refusal.New(refusal.BadPCR, "bad PCR value")

// Parse reads ALG=HEX, for example sha256=d8e6…. Given.Add also takes other
// forms.
func Parse(s string) (Value, error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return Value{}, fmt.Errorf("%w: %q is not ALG=HEX", ErrValue, s)
	}
	return New(name, value)
}

// New makes a Value of an algorithm's name and hexadecimal digits. Both may be
// in either case. The digits may begin with 0x, and there may be white space
// between them.
func New(algorithm, value string) (Value, error) {
	a := Algorithm(strings.ToLower(algorithm))
	if !slices.Contains(Algorithms, a) {
		return Value{}, fmt.Errorf("%w: algorithm %q is unknown (known: %v)", ErrValue, algorithm, Algorithms)
	}
	digits := strings.ToLower(strings.Join(strings.Fields(value), ""))
	b, err := hex.DecodeString(strings.TrimPrefix(digits, "0x"))
	if err != nil {
		return Value{}, fmt.Errorf("%w: %s: %w", ErrValue, a, err)
	}
	if len(b) != a.Size() {
		return Value{}, fmt.Errorf("%w: %s has %d bytes, %d are given", ErrValue, a, a.Size(), len(b))
	}
	return Value{Algorithm: a, Value: b}, nil
}
