// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/hex"
	"iter"
	"math"
	"slices"
	"strconv"
)

// maxReadings bounds the ways to read one record that are tried.
const maxReadings = 64

// readings yields the template data that a line may stand for, the likeliest
// first, and whether the line has exactly the blanks that the template needs.
// body is what follows the template's name.
func (t *textReader) readings(name string, body []byte) iter.Seq2[[]byte, bool] {
	return func(yield func([]byte, bool) bool) {
		if len(body) > 0 && body[0] != ' ' || bytes.Count(body, []byte{' '}) > maxFields+maxTextName {
			return
		}
		tokens := bytes.Split(body, []byte{' '})[1:]
		left := maxReadings
		if ids, err := formatOf(name); err == nil {
			for texts := range divisions(ids, tokens) {
				for data := range t.encodings(name, ids, texts) {
					if !yield(data, len(tokens) == len(ids)) {
						return
					}
					if left--; left == 0 {
						return
					}
				}
			}
		}
		// Data that does not fit its template is printed in hexadecimal by
		// imaboot itself.
		if len(tokens) == 1 && name != imaName {
			if data, err := hex.DecodeString(string(tokens[0])); err == nil && !yield(data, true) {
				return
			}
		}
		if _, err := formatOf(name); err == nil {
			return
		}
		left = maxGuesses
		for data := range t.combinations(t.guess(name, tokens)) {
			if left--; left < 0 || !yield(data, false) {
				return
			}
		}
	}
}

// divisions yields the ways to divide the parts of a line among a template's
// fields. A text may hold blanks. Editors remove the blanks that empty fields
// leave at the end of a line.
func divisions(ids []string, tokens [][]byte) iter.Seq[[][]byte] {
	return func(yield func([][]byte) bool) {
		for removed := range len(ids) {
			padded := slices.Concat(tokens, make([][]byte, removed))
			extra := len(padded) - len(ids)
			switch {
			case extra < 0:
				continue
			case extra == 0:
				if !yield(padded) {
					return
				}
				continue
			}
			for i, id := range ids {
				if fields[id] != formatString {
					continue
				}
				whole := bytes.Join(padded[i:i+extra+1], []byte{' '})
				if !yield(slices.Concat(padded[:i], [][]byte{whole}, padded[i+extra+1:])) {
					return
				}
			}
		}
	}
}

// encodings yields the template data whose fields are printed as texts.
func (t *textReader) encodings(name string, ids []string, texts [][]byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if name == imaName {
			if digest, err := hex.DecodeString(string(texts[0])); err == nil && len(digest) == sha1Size && len(texts[1]) <= maxEventName {
				yield(append(t.order.AppendUint32(digest, uint32(len(texts[1]))), texts[1]...))
			}
			return
		}
		ways := make([][][]byte, len(ids))
		for i, id := range ids {
			if ways[i] = t.field(id, texts[i]); len(ways[i]) == 0 {
				return
			}
		}
		for data := range t.combinations(ways) {
			if !yield(data) {
				return
			}
		}
	}
}

// combinations yields the template data of all ways to choose each field, the
// last field changing fastest. There are none without a field.
func (t *textReader) combinations(ways [][][]byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		chosen := make([]int, len(ways))
		for last := len(ways) - 1; last >= 0; {
			var data []byte
			for i, n := range chosen {
				data = append(t.order.AppendUint32(data, uint32(len(ways[i][n]))), ways[i][n]...)
			}
			if !yield(data) {
				return
			}
			for last = len(ways) - 1; last >= 0; last-- {
				if chosen[last]++; chosen[last] < len(ways[last]) {
					break
				}
				chosen[last] = 0
			}
		}
	}
}

// field returns the contents of a field that are printed as text, the likeliest
// first; none if nothing is.
func (t *textReader) field(id string, text []byte) [][]byte {
	switch fields[id] {
	case formatString:
		return stringField(id, text)
	case formatUint:
		return t.uintField(id, text)
	case formatDigestAlgo:
		if i := bytes.LastIndexByte(text, ':'); i > 0 {
			digest, err := hex.DecodeString(string(text[i+1:]))
			if err != nil {
				return nil
			}
			return [][]byte{slices.Concat(text[:i+1], []byte{0}, digest)}
		}
	}
	value, err := hex.DecodeString(string(text))
	if err != nil {
		return nil
	}
	return [][]byte{value}
}

// stringField adds the NUL that ends a text (ima_write_template_field_data of
// ima_template_lib.c). The names of extended attributes have one of their own
// before it (evm_read_protected_xattrs). A field can also be empty.
func stringField(id string, text []byte) [][]byte {
	one := slices.Concat(text, []byte{0})
	out := [][]byte{one}
	if id == "xattrnames" {
		out = [][]byte{slices.Concat(one, []byte{0}), one}
	}
	if len(text) == 0 {
		out = append(out, []byte{})
		if id == "xattrnames" {
			slices.Reverse(out) // a file without them is likelier
		}
	}
	return out
}

// uintField returns a number in the size that the kernel uses for the field,
// and then in others (ima_eventinodedac_init_common, ima_eventinodemode_init).
func (t *textReader) uintField(id string, text []byte) [][]byte {
	if len(text) == 0 {
		return [][]byte{{}}
	}
	n, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil || text[0] == '+' || len(text) > 1 && text[0] == '0' {
		return nil
	}
	var out [][]byte
	if n <= math.MaxUint16 {
		out = append(out, t.order.AppendUint16(nil, uint16(n)))
	}
	if n <= math.MaxUint32 {
		out = append(out, t.order.AppendUint32(nil, uint32(n)))
	}
	if id != "imode" {
		slices.Reverse(out)
	}
	return out
}
