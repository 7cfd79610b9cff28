// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package refusal

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTable: no two rows share a name or a code, rows stand in the order of
// their codes, and every row can be explained.
func TestTable(t *testing.T) {
	names, last := map[Name]bool{Match: true}, 0
	word := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, r := range Table() {
		if names[r.Name] || r.Code <= last || r.Code > 125 || r.Means == "" || !word.MatchString(string(r.Name)) {
			t.Errorf("%+v", r)
		}
		names[r.Name], last = true, r.Code
	}
}

func TestOf(t *testing.T) {
	kernel, list := New(NotKernel, "no kernel"), New(DamagedList, "damaged")
	for _, tt := range []struct {
		name  string
		err   error
		want  Name
		code  int
		names []Name
	}{
		{"nil", nil, "", 0, nil},
		{"no name", errors.New("x"), Other, 1, nil},
		{"itself", kernel, NotKernel, 9, []Name{NotKernel}},
		{"wrapped", fmt.Errorf("%w: why", kernel), NotKernel, 9, []Name{NotKernel}},
		{"the cause has no name", fmt.Errorf("%w: %w", list, errors.New("x")), DamagedList, 6, []Name{DamagedList}},
		{"joined", errors.Join(errors.New("x"), list), DamagedList, 6, []Name{DamagedList}},
		{"two names: the first counts", fmt.Errorf("%w: %w", kernel, list), NotKernel, 9, []Name{NotKernel, DamagedList}},
		{"one name twice", errors.Join(kernel, fmt.Errorf("%w again", kernel)), NotKernel, 9, []Name{NotKernel}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Of(tt.err); got != tt.want || got.Code() != tt.code {
				t.Errorf("%q, code %d; want %q, %d", got, got.Code(), tt.want, tt.code)
			}
			if tt.err == nil {
				return
			}
			if diff := cmp.Diff(tt.names, Names(tt.err)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if Name("none").Code() != 1 || Match.Code() != 0 {
		t.Error("codes of names that are no refusal")
	}
	if !NotKernel.Another() || Tampered.Another() || Name("none").Another() {
		t.Error("what another entry may try")
	}
	if first, second := New(Other, "a"), New(Other, "a"); errors.Is(first, second) || !slices.Equal(Names(first), []Name{Other}) {
		t.Error("sentinels of one name are the same error")
	}
}
