// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// TestWithExecute: the predicted record counts what is in the kernel's list,
// but not what was carried as a file. A guest compares it with the real record.
func TestWithExecute(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := twoHops(order)
		before := len(b.data)
		b.ng("boot_aggregate")
		b.raw(10, nil, "d-ng|n-ng", b.ngData("sha256", make([]byte, 32), "/custom"))
		load := "kexec_segment_size=4096;ima_binary_runtime_size=1;ima_runtime_measurements_count=2;"
		b.raw(10, nil, "ima-buf", append(b.ngData("sha256", make([]byte, 32), "kexec_load"), b.field([]byte(load))...))
		l := mustParse(t, b.data)
		got, err := l.WithExecute(before, "")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(got.Bytes(), l.Bytes()) || got.Records() != l.Records()+1 {
			t.Fatalf("%d records", got.Records())
		}
		var last Record
		for r := range got.All {
			last = r
		}
		size := len(b.data) - before - len("d-ng|n-ng") + HeaderSize
		want := strings.Join([]string{"kexec_segment_size=4096", "ima_binary_runtime_size=" + strconv.Itoa(size), "ima_runtime_measurements_count=3", ""}, ";")
		all, err := last.Fields()
		if err != nil || string(all[2].Data) != want || string(all[1].Data) != "kexec_execute\x00" {
			t.Errorf("%q, want %q (%v)", all, want, err)
		}
		if report := Check(got, 10, nil); report.Verdict != NoTPM {
			t.Error(report.Text)
		}
		if _, err := got.Buffer(); err != nil {
			t.Error(err)
		}
	}
}

// TestWithExecuteIndex: the kernel measures its own jump into its own register.
func TestWithExecuteIndex(t *testing.T) {
	b := &builder{order: binary.LittleEndian}
	add := func(index uint32, name string) {
		b.raw(index, nil, "ima-ng", b.ngData("sha256", pcr.SHA256.Sum([]byte(name)), name))
	}
	add(11, "boot_aggregate")
	add(11, "/init")
	own := len(b.data)
	add(12, "boot_aggregate")
	add(12, "/init")
	for offset, want := range map[int]uint32{0: 11, own: 12} {
		got, err := mustParse(t, b.data).WithExecute(offset, "")
		if err != nil {
			t.Fatal(err)
		}
		var last Record
		for r := range got.All {
			last = r
		}
		if last.PCR != want {
			t.Errorf("own list at %d: PCR %d, want %d", offset, last.PCR, want)
		}
	}
}

func TestWithExecuteBad(t *testing.T) {
	old := &builder{order: binary.LittleEndian}
	old.legacy(make([]byte, 20), "boot_aggregate")
	odd := &builder{order: binary.LittleEndian}
	odd.raw(10, nil, "ima-buf", append(odd.ngData("sha256", make([]byte, 32), "kexec_load"), odd.field([]byte("something else"))...))
	mixed := &builder{order: binary.LittleEndian}
	mixed.ng("boot_aggregate")
	mixed.ng("/a")
	mixed.raw(10, nil, "ima-ng", mixed.ngData("sha512", make([]byte, 64), "/signed"))
	if _, err := mustParse(t, mixed.data).WithExecute(0, pcr.SHA512); err != nil {
		t.Errorf("a hash that is known: %v", err)
	}
	for name, data := range map[string][]byte{"old template": old.data, "odd event": odd.data, "two hashes": mixed.data, "empty": nil} {
		if _, err := mustParse(t, data).WithExecute(0, ""); !errors.Is(err, ErrPredict) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
