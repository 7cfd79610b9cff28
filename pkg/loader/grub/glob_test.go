// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/entry"
)

func TestGlob(t *testing.T) {
	all := entry.Volumes{
		open(t, "sda1", "", "", empty("k1", "k2", "dir/a1.cfg", "dir/a2.cfg", "dir/.hid", "dir/sub/f", "a b", "a[1]", "a*", "other/a1.cfg")),
		open(t, "sda2", "", "", empty("k3")),
	}
	for words, want := range map[string]string{
		`/k*`:                             "/k1 /k2",
		`/k? /?2 /k?? /nosuch*`:           "/k1 /k2 /k2 /k?? /nosuch*",
		`"/k*" '/k'* /k"?" /k\* "/k"?`:    "/k* /k1 /k2 /k? /k* /k1 /k2",
		`/dir/* /dir/.*`:                  "/dir/.hid /dir/a1.cfg /dir/a2.cfg /dir/sub /dir/.hid",
		`/*/a1.cfg /d*/s*/? //dir//a1*`:   "/dir/a1.cfg /other/a1.cfg /dir/sub/f //dir//a1.cfg",
		`/d*/ /k*/ /dir/sub*/`:            "/dir/ /k*/ /dir/sub/",
		`/a*`:                             "/a[b] /a* /a[1]",
		`/a[1]* /a[12] /a\** "/a ""?"`:    "/a[1] /a[12] /a* /a ?",
		`k* dir/* x=/k* -f/k* *`:          "k* dir/* x=/k* -f/k* *",
		`(sda2)/k* ($root)/k? ($x)/k*`:    "(sda2)/k3 (sda1)/k1 (sda1)/k2 (sda2)/k3",
		`(hd*)/k1 (sda*)/k* (sda1/k*`:     "(hd*)/k1 (sda*)/k* (sda1/k*",
		`$y $y? "$y" '$y'`:                "/k1 /k2 /k1 /k2 /k* $y",
		`/nosuch/*/x /dir/*/nosuch /k1/*`: "/nosuch/*/x /dir/*/nosuch /k1/*",
		`/../k* /dir/../k?`:               "/../k1 /../k2 /dir/../k1 /dir/../k2",
	} {
		in := newInterpreter(all[0], all, entry.File{Volume: all[0], Name: "/grub.cfg"}, "s390x")
		script := "x=sda2; y='/k*'; for i in " + words + "; do if [ \"$i\" = '/a b' ]; then i=/a[b]; fi; w=\"$w $i\"; done\n"
		if err := in.runText("x", script); err != nil || len(in.config.Notes) > 0 {
			t.Error(words, err, in.config.Notes)
		}
		if got := strings.TrimPrefix(in.value("w"), " "); got != want {
			t.Errorf("%s: %s, want %s", words, got, want)
		}
	}
}
