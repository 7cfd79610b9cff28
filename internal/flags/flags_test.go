// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package flags

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// values are what the flags of newSet set.
type values struct {
	colour, name string
	number       int
	verbose      bool
}

func newSet(v *values) *flag.FlagSet {
	f := flag.NewFlagSet("test", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	v.colour = "red"
	f.Var(Choice(&v.colour, "red", "green"), "colour", "Paint it.")
	f.StringVar(&v.name, "a-very-long-name", "", "Call it `NAME`, whatever others may call it, from now on.")
	f.IntVar(&v.number, "number", 0, "Make `N` of it.")
	f.BoolVar(&v.verbose, "v", false, "Say more.")
	return f
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		args   string
		want   values
		others []string
		err    string
	}{
		{args: "", want: values{colour: "red"}},
		{args: "a -v b --colour green", want: values{colour: "green", verbose: true}, others: []string{"a", "b"}},
		{args: "--number=2 -- -v a", want: values{colour: "red", number: 2}, others: []string{"-v", "a"}},
		{args: "a -- b -- c", want: values{colour: "red"}, others: []string{"a", "b", "--", "c"}},
		{args: "a --colour=blue", err: "must be one of red, green"},
		{args: "a --size=1", err: "not defined"},
		{args: "a -h", err: flag.ErrHelp.Error()},
	} {
		t.Run(tt.args, func(t *testing.T) {
			var got values
			others, err := Parse(newSet(&got), strings.Fields(tt.args))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || errors.Is(err, flag.ErrHelp) != (tt.args == "a -h") {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.others, others); diff != "" || got != tt.want {
				t.Errorf("%+v, want %+v; others: %s", got, tt.want, diff)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	const want = `  --a-very-long-name NAME
                          Call it NAME, whatever
                          others may call it, from
                          now on.
  --colour red|green      Paint it. The default is
                          red.
  --number N              Make N of it.
  -v                      Say more.
`
	if diff := cmp.Diff(want, Help(newSet(&values{}), 50)); diff != "" {
		t.Error(diff)
	}
}
