// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// A Hint says for each bank in which form the kernels of a chain extended it. It
// is what the sender of a list found out by its replay. The text of a bank has, in
// the order of the kernels, a number and a letter: "7t1p" are seven kernels of
// FormTrue and one of FormPadded. A bank with true forms only is left out.
//
// Nothing proves a hint. A replay that follows it counts only if it leads to the
// PCR; otherwise all forms are tried as without a hint. A wrong hint thus costs
// the time of one replay and changes no verdict.
type Hint map[pcr.Algorithm]string

// maxHint bounds the text of a bank, in bytes. A longer one is left out.
const maxHint = 4 << 10

var formLetters = map[Form]byte{FormTrue: 't', FormPadded: 'p', FormOld: 'o', FormNone: 'n'}

// Hint returns what the report found out about the list's own register.
func (r *Report) Hint() Hint {
	var out Hint
	for _, b := range r.Banks {
		if b.PCR != r.PCR || b.Verdict != Match || !slices.ContainsFunc(b.Forms, func(f Form) bool { return f != FormTrue }) {
			continue
		}
		if text := formText(b.Forms); len(text) <= maxHint {
			if out == nil {
				out = Hint{}
			}
			out[b.Algorithm] = text
		}
	}
	return out
}

func formText(forms []Form) string {
	var out []byte
	for i := 0; i < len(forms); {
		n := 1
		for i+n < len(forms) && forms[i+n] == forms[i] {
			n++
		}
		out = append(strconv.AppendInt(out, int64(n), 10), formLetters[forms[i]])
		i += n
	}
	return string(out)
}

// forms returns the forms of a bank's kernels, at most as many as there are hops.
// It returns nil if the hint has no text for the bank that makes sense.
func (h Hint) forms(a pcr.Algorithm, hops int) []Form {
	var out []Form
	for rest := h[a]; rest != ""; {
		end := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' })
		if end < 1 {
			return nil
		}
		n, err := strconv.Atoi(rest[:end])
		if err != nil || n < 1 || n > hops-len(out) {
			return nil
		}
		var form Form
		for f, letter := range formLetters {
			if letter == rest[end] {
				form = f
			}
		}
		if form == "" {
			return nil
		}
		out = append(out, slices.Repeat([]Form{form}, n)...)
		rest = rest[end+1:]
	}
	return out
}

// possible reports whether the kernels can have behaved so. Only a kernel without
// a TPM extends nothing, and the bank of SHA-1 is never padded.
func (x *run) possible(forms []Form) bool {
	sure := x.list.hopsForSure()
	for i, form := range forms {
		switch {
		case form == FormNone:
			if !x.list.hops[i].NoTPM && (sure[i] || forms[i-1] != FormNone) {
				return false
			}
		case form != FormTrue && x.bank == pcr.SHA1:
			return false
		}
	}
	return true
}

// followHint replays the list as the hint says. The kernels that the hint does not
// know, normally the running one alone, are taken to be alike.
func (x *run) followHint() (replayed, bool) {
	known := x.hint
	if len(known) == 0 || !x.possible(known) {
		return replayed{}, false
	}
	silent := slices.ContainsFunc(x.list.hops, func(h Hop) bool { return h.NoTPM })
	reg := make([]byte, x.bank.Size())
	matched := x.follow(reg, known, 0, -1)
	for _, form := range []Form{FormTrue, FormPadded, FormOld, FormNone} {
		forms := append(slices.Clone(known), slices.Repeat([]Form{form}, len(x.list.hops)-len(known))...)
		if !x.possible(forms) {
			continue
		}
		value := bytes.Clone(reg)
		at := x.follow(value, forms, len(known), matched)
		if bytes.Equal(value, x.want) {
			return replayed{matched: x.list.last[x.index], value: value, forms: forms}, true
		}
		// A kernel that extended nothing makes the PCR look like that of a
		// shorter list, which a search can tell.
		if at >= 0 && !silent {
			return replayed{matched: at, value: value, forms: forms}, true
		}
		if len(forms) == len(known) {
			break
		}
	}
	return replayed{}, false
}

// follow extends a register with the records of the hops from one on that have a
// form. It returns the record after which the register was the PCR, or matched if
// it never was or had been before.
func (x *run) follow(reg []byte, forms []Form, from, matched int) int {
	if from == len(forms) {
		return matched
	}
	n := len(reg)
	value, both := x.buf[n:2*n], x.buf[:2*n]
	hop, h := from, x.list.hops[from]
	x.list.from(h.First, h.Offset, func(r *Record) bool {
		if r.Number >= x.list.hops[hop].First+x.list.hops[hop].Records {
			if hop++; hop == len(forms) {
				return false
			}
		}
		if r.PCR != x.index || forms[hop] == FormNone {
			return true
		}
		x.value(value, forms[hop], r)
		copy(x.buf[:n], reg)
		x.hash(reg, both)
		if matched < 0 && bytes.Equal(reg, x.want) {
			matched = r.Number
		}
		return true
	})
	return matched
}
