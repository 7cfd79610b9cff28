// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"strings"
	"testing"
)

func TestCheckText(t *testing.T) {
	for text, want := range map[string]string{
		"default linux\r\n\tkernel x\n": "",
		"men\xc3\xbc \xe4\n":            "",
		"a\nb\x00":                      "line 2",
		"\x1b[31m":                      "line 1",
		"\x7f":                          "line 1",
		strings.Repeat(" ", 2<<20):      "more than",
	} {
		err := CheckText([]byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("CheckText(%.20q) = %v, want %q", text, err, want)
		}
	}
}
