// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grubenv

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
)

func TestParse(t *testing.T) {
	filling := strings.Repeat("#", 900)
	for block, want := range map[string][]Variable{
		filling:                           nil,
		"a=b=c\nd=\n=e\n#x=y\n" + filling: {{"a", "b=c"}, {"d", ""}, {"", "e"}},
		"a=1\n\nb=2\nno\nc=3\n" + filling: {{"a", "1"}, {"\nb", "2"}, {"no\nc", "3"}},
		"#\\\n=x\n" + filling:             nil,
		`a=\\b\` + "\nc\n" + filling:      {{"a", "\\b\nc"}},
		"a=without an end":                nil,
		"# WARNING\na=b\n####\\":          {{"a", "b"}},
	} {
		got, err := Parse([]byte(Signature + block))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	for _, block := range []string{"", "a=b\n", "# GRUB Environment Block"} {
		if _, err := Parse([]byte(block)); !errors.Is(err, entry.ErrConfig) {
			t.Errorf("%q: %v", block, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(Signature + "a=b\nc=\\\\\n####"))
	f.Fuzz(func(t *testing.T, block []byte) {
		all, err := Parse(block)
		if err != nil && all != nil {
			t.Error("variables of what is no block")
		}
	})
}
