// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package refusal names every way in which imaboot refuses to go on.
//
// One table holds the names. Exit codes, the word that begins a message, the
// verdict in reports for machines, and whether a menu tries the next entry all
// come from it. A sentinel error declares its name where it is defined:
//
//	var ErrNotKernel = refusal.New(refusal.NotKernel, "not a bootable kernel")
//
// so this package imports none of the others.
package refusal

import (
	"slices"
	"strings"
)

// A Name is a refusal's name, as it stands in messages and reports.
type Name string

// named is implemented by every error that knows its name.
type named interface{ RefusalName() Name }

// sentinel is an error of New.
type sentinel struct {
	name Name
	text string
}

func (s *sentinel) Error() string     { return s.text }
func (s *sentinel) RefusalName() Name { return s.name }

// New returns a distinct error with a name and a text, to be wrapped by errors
// that say more.
func New(n Name, text string) error { return &sentinel{n, text} }

// Of returns the name of err: that of the first error in its tree that has one,
// in the order of errors.Is, or Other. Of nil it is "".
func Of(err error) Name {
	if err == nil {
		return ""
	}
	if n := Names(err); len(n) > 0 {
		return n[0]
	}
	return Other
}

// Text returns a text that begins with a refusal's name, once.
func (n Name) Text(text string) string {
	if prefix := string(n) + ": "; !strings.HasPrefix(text, prefix) {
		return prefix + text
	}
	return text
}

// Names returns all names in the tree of err, each once. Tests use it to hold
// that an error has no more than one.
func Names(err error) []Name {
	var out []Name
	add := func(n Name) {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	if n, ok := err.(named); ok && n.RefusalName() != "" {
		add(n.RefusalName())
	}
	switch x := err.(type) { //nolint:errorlint // the tree is walked here
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil {
			for _, n := range Names(inner) {
				add(n)
			}
		}
	case interface{ Unwrap() []error }:
		for _, inner := range x.Unwrap() {
			for _, n := range Names(inner) {
				add(n)
			}
		}
	}
	return out
}

// Code is the exit code of a name: 0 for "" and match, 1 for one that the table
// does not have.
func (n Name) Code() int {
	if n == "" || n == Match {
		return 0
	}
	if row, ok := find(n); ok {
		return row.Code
	}
	return otherCode
}

// Another reports whether a menu may try its next entry after this refusal: the
// fault is that of the entry's files, and not of the list, the TPM or the
// machine.
func (n Name) Another() bool {
	row, ok := find(n)
	return ok && row.Another
}

func find(n Name) (Row, bool) {
	i := slices.IndexFunc(table, func(r Row) bool { return r.Name == n })
	if i < 0 {
		return Row{}, false
	}
	return table[i], true
}
