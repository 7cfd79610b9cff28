// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// mapped maps a list of several steps of a pass.
func mapped(t *testing.T) (name string, data []byte, pcrs []pcr.Value) {
	t.Helper()
	b := &builder{order: binary.LittleEndian}
	b.ng("boot_aggregate")
	for i := 0; len(b.data) < 3*passStep; i++ {
		b.ng(fmt.Sprintf("/%d/%s", i, strings.Repeat("x", 4000)))
	}
	l := mustParse(t, b.data)
	name = filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(name, b.data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err = unix.Mmap(int(f.Fd()), 0, len(b.data), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(data) })
	return name, data, []pcr.Value{replayForms(l, pcr.SHA1, FormTrue), replayForms(l, pcr.SHA256, FormTrue)}
}

// TestMapped takes what was read out of memory. The result is the same.
func TestMapped(t *testing.T) {
	_, data, pcrs := mapped(t)
	var mu sync.Mutex
	parts := map[int]int{}
	passed := func(from, to int) {
		mu.Lock()
		defer mu.Unlock()
		parts[from] = to
		if err := unix.Madvise(data[from&^(os.Getpagesize()-1):to], unix.MADV_DONTNEED); err != nil {
			t.Error(err)
		}
	}
	l, r, err := ParseAndCheck(data, passed, 10, pcrs)
	if err != nil || r.Verdict != Match {
		t.Fatal(err, r.Text)
	}
	n := 0
	for range l.All {
		n++
	}
	if n != l.Records() {
		t.Errorf("%d records, want %d", n, l.Records())
	}
	// The parts follow one another, each about as long as a step.
	for at := 0; at < len(data)-passStep-8192; at = parts[at] {
		if size := parts[at] - at; size < passStep || size > passStep+8192 {
			t.Fatalf("the part at %d has %d bytes", at, size)
		}
	}
}

// TestMappedFault: the file becomes shorter while it is read. The caller can
// recover.
func TestMappedFault(t *testing.T) {
	name, data, pcrs := mapped(t)
	if err := os.Truncate(name, passStep); err != nil {
		t.Fatal(err)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() == nil {
			t.Error("no fault")
		}
	}()
	_, r, err := ParseAndCheck(data, nil, 10, pcrs)
	t.Error(r, err)
}
