// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tpm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

// softTPM starts a TPM 2.0 with the given banks.
func softTPM(t *testing.T, banks string) transport.TPM {
	t.Helper()
	for _, name := range []string{"swtpm", "swtpm_setup"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("IMABOOT_LAB") == "require" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed", name)
		}
	}
	// The path of a socket is short.
	dir, err := os.MkdirTemp("", "tpm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	out, err := exec.Command("swtpm_setup", "--tpm2", "--tpmstate", dir, "--overwrite", "--pcr-banks", banks).CombinedOutput()
	if err != nil {
		t.Fatalf("swtpm_setup: %v\n%s", err, out)
	}
	socket := filepath.Join(dir, "tpm")
	cmd := exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+dir,
		"--server", "type=unixio,path="+socket, "--ctrl", "type=unixio,path="+filepath.Join(dir, "ctrl"),
		"--flags", "not-need-init,startup-clear")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if tpm, err := linuxudstpm.Open(socket); err == nil {
			t.Cleanup(func() { tpm.Close() })
			return tpm
		}
	}
	t.Fatal("swtpm made no socket")
	return nil
}

func extend(t *testing.T, tpm transport.TPM, index int, alg tpm2.TPMAlgID, digest []byte) {
	t.Helper()
	_, err := tpm2.PCRExtend{
		PCRHandle: tpm2.AuthHandle{Handle: tpm2.TPMHandle(index), Auth: tpm2.PasswordAuth(nil)},
		Digests:   tpm2.TPMLDigestValues{Digests: []tpm2.TPMTHA{{HashAlg: alg, Digest: digest}}},
	}.Execute(tpm)
	if err != nil {
		t.Fatal(err)
	}
}

// TestReadDevice reads every bank of a TPM, and sees that it moves.
func TestReadDevice(t *testing.T) {
	tpm := softTPM(t, "sha1,sha256,sha384,sha512")
	before, err := ReadDevice(tpm, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(before.PCRs) != 4 || len(before.Unknown) != 0 || before.Counter == nil {
		t.Fatalf("%+v", before)
	}
	for _, p := range before.PCRs {
		if !bytes.Equal(p.Value, make([]byte, p.Algorithm.Size())) {
			t.Errorf("%s is %x in a new TPM", p.Algorithm, p.Value)
		}
	}
	extend(t, tpm, 10, tpm2.TPMAlgSHA256, bytes.Repeat([]byte{1}, 32))
	after, err := ReadDevice(tpm, 10)
	if err != nil {
		t.Fatal(err)
	}
	if after.Same(before) || *after.Counter == *before.Counter {
		t.Errorf("an extend changed nothing: %+v, %+v", before, after)
	}
	// Another register moves the counter, but not this one's values.
	extend(t, tpm, 11, tpm2.TPMAlgSHA256, bytes.Repeat([]byte{1}, 32))
	counter, err := UpdateCounter(tpm)
	if err != nil {
		t.Fatal(err)
	}
	if counter == *after.Counter {
		t.Error("the counter did not move")
	}
}

// TestReadDeviceOneBank: banks that are not allocated are not asked for.
func TestReadDeviceOneBank(t *testing.T) {
	r, err := ReadDevice(softTPM(t, "sha384"), 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.PCRs) != 1 || r.PCRs[0].Algorithm != "sha384" {
		t.Errorf("%+v", r)
	}
}

// TestRead takes the values from sysfs where it has them, and the counter from
// the device.
func TestRead(t *testing.T) {
	tpm := softTPM(t, "sha1,sha256")
	extend(t, tpm, 10, tpm2.TPMAlgSHA256, bytes.Repeat([]byte{1}, 32))
	root := t.TempDir()
	r, err := read(tpm, root, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.PCRs) != 2 || r.Counter == nil || bytes.Equal(r.PCRs[1].Value, make([]byte, 32)) {
		t.Errorf("without sysfs: %+v", r)
	}
	fileroot.Add(t, root, map[string]string{device + "/pcr-sha256/10": strings.Repeat("5A", 32)})
	if r, err = read(tpm, root, 10); err != nil {
		t.Fatal(err)
	}
	if len(r.PCRs) != 1 || r.PCRs[0].Value[0] != 0x5a || r.Counter == nil {
		t.Errorf("with sysfs: %+v", r)
	}
	// Without a device there is no counter.
	if r, err = Read(root, 10); err != nil || r.Counter != nil {
		t.Errorf("%+v, %v", r, err)
	}
}
