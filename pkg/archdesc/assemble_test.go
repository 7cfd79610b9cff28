// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// checkAssembled compares the code of a trampoline with its source, assembled by
// the binutils whose names begin with prefix.
func checkAssembled(t *testing.T, arch, prefix string, code []byte) {
	t.Helper()
	as, objcopy := prefix+"as", prefix+"objcopy"
	if _, err := exec.LookPath(as); err != nil {
		if os.Getenv("IMABOOT_LAB") == "require" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed", as)
	}
	dir := t.TempDir()
	object, binary := filepath.Join(dir, "t.o"), filepath.Join(dir, "t.bin")
	for _, argv := range [][]string{
		{as, "-o", object, "asm/" + arch + ".S"},
		{objcopy, "-O", "binary", "-j", ".text", object, binary},
	} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", argv, err, out)
		}
	}
	got, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, code) {
		t.Errorf("asm/%s.bin is not what asm/%s.S assembles to", arch, arch)
	}
}
