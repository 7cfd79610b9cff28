// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package offline

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/internal/testing/faults"
	"github.com/imaboot/imaboot/pkg/listfile"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
	"github.com/imaboot/imaboot/pkg/target"
)

// TestShorterFault: the file becomes shorter while the list is read.
func TestShorterFault(t *testing.T) {
	faults.Need(t)
	b := &builder{}
	b.add(10, digest("aggregate"), "boot_aggregate")
	for len(b.list) < 1<<20 {
		b.add(10, digest("file"), "/"+strings.Repeat("x", 4000))
	}
	l, err := handover.Parse(b.list)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := l.WriteASCII(&text); err != nil {
		t.Fatal(err)
	}
	buffer, err := l.Buffer()
	if err != nil {
		t.Fatal(err)
	}
	for form, data := range map[string][]byte{"binary": b.list, "text": text.Bytes(), "buffer": buffer} {
		t.Run(form, func(t *testing.T) {
			name := directory{t, t.TempDir()}.file("list", data)
			c, err := newComparison(&Options{List: name, PCRs: []string{b.value(10, pcr.SHA1), b.value(10, pcr.SHA256)}})
			if err != nil {
				t.Fatal(err)
			}
			f, err := listfile.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(name, 128<<10); err != nil {
				t.Fatal(err)
			}
			r, changed, err := c.verify(f)
			if r != nil || changed || !errors.Is(err, target.ErrFault) || refusal.Of(err) != refusal.BadFile || !strings.HasPrefix(err.Error(), name) {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// TestChanged: somebody appends to the file while the list is read.
func TestChanged(t *testing.T) {
	b := &builder{}
	b.add(10, digest("aggregate"), "boot_aggregate")
	name := directory{t, t.TempDir()}.file("list", b.list)
	c, err := newComparison(&Options{List: name, PCRs: []string{b.value(10, pcr.SHA256)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, appends := range []bool{false, true} {
		f, err := listfile.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if appends {
			b.add(10, digest("init"), "/init")
			directory{t, filepath.Dir(name)}.file("list", b.list)
		}
		if _, changed, err := c.verify(f); changed != appends || err != nil {
			t.Errorf("changed: %v, %v", changed, err)
		}
	}
}

// TestDigest: the digest of the list is made only for those who ask, and a result
// needs no file any more.
func TestDigest(t *testing.T) {
	for _, o := range []Options{{}, {Digest: true}} {
		o.List, o.PCRs = captured+".bin", quoted(t)
		r := check(t, o, "", "17 records")
		b, err := json.Marshal(r)
		const want = `"list_sha256":"`
		if err != nil || strings.Contains(string(b), want) != o.Digest || (r.SHA256 != "") != o.Digest {
			t.Errorf("%v, %s", err, b)
		}
	}
}
