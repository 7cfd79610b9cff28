// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/imaboot/imaboot/pkg/pcr"
)

const benchRecords = 1_000_000

// benchList is made once: a million ima-ng records and the PCRs of two banks.
var benchList = sync.OnceValues(func() (*List, []pcr.Value) {
	b := &builder{order: binary.LittleEndian}
	b.ng("boot_aggregate")
	for i := 1; i < benchRecords; i++ {
		b.ng(fmt.Sprintf("/usr/lib/x86_64-linux-gnu/lib%07d.so", i))
	}
	l, err := Parse(b.data)
	if err != nil {
		panic(err)
	}
	return l, []pcr.Value{replayForms(l, pcr.SHA1, FormTrue), replayForms(l, pcr.SHA256, FormTrue)}
})

// BenchmarkVerify1M parses, checks every template digest and replays two
// banks.
func BenchmarkVerify1M(b *testing.B) {
	l, pcrs := benchList()
	b.SetBytes(int64(len(l.Bytes())))
	b.ReportAllocs()
	for b.Loop() {
		_, got, err := ParseAndCheck(l.Bytes(), nil, 10, pcrs)
		if err != nil {
			b.Fatal(err)
		}
		if got.Verdict != Match {
			b.Fatal(got.Text)
		}
	}
}

// BenchmarkBareHashing1M measures the lower bound: the same hashes of the same
// data and nothing else, with one goroutine for each bank.
func BenchmarkBareHashing1M(b *testing.B) {
	l, pcrs := benchList()
	data := make([][]byte, 0, l.Records())
	for r := range l.All {
		data = append(data, r.Data)
	}
	b.SetBytes(int64(len(l.Bytes())))
	for b.Loop() {
		var wg sync.WaitGroup
		for _, p := range pcrs {
			wg.Go(func() { bareHashing(p.Algorithm, data) })
		}
		wg.Wait()
	}
}

func bareHashing(a pcr.Algorithm, data [][]byte) {
	switch a {
	case pcr.SHA1:
		var both [2 * sha1.Size]byte
		for _, d := range data {
			value := sha1.Sum(d)
			copy(both[sha1.Size:], value[:])
			reg := sha1.Sum(both[:])
			copy(both[:], reg[:])
		}
	case pcr.SHA256:
		var both [2 * sha256.Size]byte
		for _, d := range data {
			value := sha256.Sum256(d)
			copy(both[sha256.Size:], value[:])
			reg := sha256.Sum256(both[:])
			copy(both[:], reg[:])
		}
	}
}

// BenchmarkEvmctl1M runs ima-evm-utils on the same list, for the same two
// banks.
func BenchmarkEvmctl1M(b *testing.B) {
	evmctl, err := exec.LookPath("evmctl")
	if err != nil {
		b.Skip("evmctl is not installed")
	}
	l, pcrs := benchList()
	dir := b.TempDir()
	list := filepath.Join(dir, "list")
	if err := os.WriteFile(list, l.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	args := []string{"ima_measurement"}
	for _, p := range pcrs {
		var text strings.Builder
		for i := range 24 {
			value := strings.Repeat("00", p.Algorithm.Size())
			if i == 10 {
				value = hex.EncodeToString(p.Value)
			}
			fmt.Fprintf(&text, "PCR-%02d: %s\n", i, value)
		}
		file := filepath.Join(dir, string(p.Algorithm))
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
		args = append(args, "--pcrs", string(p.Algorithm)+","+file)
	}
	b.SetBytes(int64(len(l.Bytes())))
	for b.Loop() {
		if out, err := exec.Command(evmctl, append(args, list)...).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
}
