// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseIOMem(t *testing.T) {
	ram, crash, err := parseIOMem(strings.NewReader(`00000000-3fffffff : System RAM
  01000000-01ffffff : Kernel code
  20000000-2fffffff : Crash kernel
40000000-7fffffff : System RAM
200080000000-2000ffffffff : pci@800000020000000
  200080000000-200080000fff : 0000:00:01.0
`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Ranges{{0, 0x80000000}}, ram); diff != "" {
		t.Errorf("RAM: %s", diff)
	}
	if diff := cmp.Diff(Ranges{{0x20000000, 0x30000000}}, crash); diff != "" {
		t.Errorf("crash kernel: %s", diff)
	}
}

func TestParseIOMemBad(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		is               error
	}{
		{name: "empty", want: "no System RAM"},
		{name: "hidden", text: "00000000-00000000 : System RAM\n", want: "CAP_SYS_ADMIN", is: ErrNoPrivilege},
		{name: "no range", text: "12 : System RAM\n", want: `line 1: "12" is no range`},
		{name: "no number", text: "x-y : System RAM\n", want: "line 1"},
		{name: "backwards", text: "5-4 : System RAM\n", want: "is no range"},
		{name: "beyond the address space", text: "0-ffffffffffffffff : System RAM\n", want: "is no range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := parseIOMem(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %q", err, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v is not %v", err, tt.is)
			}
		})
	}
}

func FuzzParseIOMem(f *testing.F) {
	f.Add("00000000-3fffffff : System RAM\n  20000000-2fffffff : Crash kernel\n")
	f.Fuzz(func(t *testing.T, text string) {
		ram, _, err := parseIOMem(strings.NewReader(text))
		if err == nil && ram.Size() == 0 {
			t.Error("no error and no memory")
		}
	})
}
