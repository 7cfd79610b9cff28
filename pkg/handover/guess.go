// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/hex"
	"slices"
)

const (
	// maxGuessed bounds the fields of an unknown template, and maxGuesses the
	// ways to read one of its records that are tried.
	maxGuessed = 6
	maxGuesses = 1024
)

// guess returns, for each part of a line, the fields that may be printed like
// that. It is for templates of patched kernels, whose fields are not known: only
// the template digest tells whether a guess is right. A guess that was right for
// an earlier record of the template comes first.
func (t *textReader) guess(name string, tokens [][]byte) [][][]byte {
	if len(tokens) == 0 || len(tokens) > maxGuessed {
		return nil
	}
	ways := make([][][]byte, len(tokens))
	for i, token := range tokens {
		kinds := t.kinds(token)
		if right := t.guessed[name]; len(right) == len(tokens) && kinds[right[i]] != nil {
			ways[i] = append(ways[i], kinds[right[i]])
		}
		for _, field := range kinds {
			if field != nil {
				ways[i] = append(ways[i], field)
			}
		}
	}
	return ways
}

// kinds returns the fields that are printed as a text: a digest with its
// algorithm, a text with a NUL, hexadecimal digits, and a text without a NUL;
// nil for a kind that is printed differently.
func (t *textReader) kinds(token []byte) [4][]byte {
	kinds := [4][]byte{1: append(bytes.Clone(token), 0), 3: append([]byte{}, token...)}
	if ways := t.field("d-ng", token); bytes.IndexByte(token, ':') > 0 && len(ways) > 0 {
		kinds[0] = ways[0]
	}
	if digits, err := hex.DecodeString(string(token)); err == nil {
		kinds[2] = digits
	}
	return kinds
}

// learn remembers how a record of an unknown template was read.
func (t *textReader) learn(name string, body, data []byte) {
	tokens := bytes.Split(body, []byte{' '})[1:]
	right := make([]int, len(tokens))
	r := Record{order: t.order}
	for i, token := range tokens {
		field, rest, err := r.cut(data)
		if err != nil {
			return // it was read as hexadecimal digits
		}
		kinds := t.kinds(token)
		right[i] = slices.IndexFunc(kinds[:], func(kind []byte) bool { return kind != nil && bytes.Equal(kind, field) })
		if data = rest; right[i] < 0 {
			return
		}
	}
	if t.guessed == nil {
		t.guessed = map[string][]int{}
	}
	t.guessed[name] = right
}
