// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package cmdline

import (
	"errors"
	"testing"
)

func TestAppend(t *testing.T) {
	for _, tt := range []struct {
		line, appended, want string
		err                  error
	}{
		{"", "", "", nil},
		{" quiet ", "", " quiet ", nil},
		{" quiet ", " single ", "quiet single", nil},
		{"quiet -- arg", "lockdown=integrity", "quiet lockdown=integrity -- arg", nil},
		{"quiet --", "lockdown=integrity", "quiet lockdown=integrity", nil},
		{`quiet "--" arg`, "x=1", "quiet x=1 -- arg", nil},
		{"-- arg", "x=1", "x=1 -- arg", nil},
		{"quiet", "x=1 -- arg", "quiet x=1 -- arg", nil},
		{"quiet -- arg", "x=1 -- more", "quiet x=1 -- arg more", nil},
		{"quiet -- -- arg", "x=1", "quiet x=1 -- -- arg", nil},
		{`x="`, "lockdown=integrity", `x="" lockdown=integrity`, nil},
		{`x="a b -- c`, "y=1", `x="a b -- c" y=1`, nil},
		{`"x=a b`, "y=1", `"x=a b" y=1`, nil},
		{`quiet -- x="a`, "y=1 -- z", `quiet y=1 -- x="a" z`, nil},
		{`x=a"b c`, "y=1", "", ErrAppend},
		{`a" b`, "y=1", "", ErrAppend},
		{`x="a`, `y="b c`, `x="a" y="b c`, nil},
		{"quiet\x00", "y=1", "", ErrControl},
		{"quiet", "y=1\x1b[2J", "", ErrControl},
		{"quiet\tsplash", "y=1", "quiet\tsplash y=1", nil},
	} {
		got, err := Append(tt.line, tt.appended)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q and %q: %q, %v; want %q, %v", tt.line, tt.appended, got, err, tt.want, tt.err)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		line string
		ok   bool
	}{
		{"", true},
		{"quiet root=/dev/vda2 é € \U0001f427", true},
		{"a\tb", true},
		{"latin\xe9 \xa0\xff", true},
		{"\ufffd", true},
		{"a\x00b", false},
		{"a\nb", false},
		{"a\rb", false},
		{"a\vb", false},
		{"a\fb", false},
		{"a\bb", false},
		{"\x1b[2J", false},
		{"a\x7f", false},
		{"a\u0085", false},
		{"a\u009b2J", false},
		{"a\x9b2J", false},
	} {
		if err := Check(tt.line); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrControl) {
			t.Errorf("%q: %v", tt.line, err)
		}
	}
}
