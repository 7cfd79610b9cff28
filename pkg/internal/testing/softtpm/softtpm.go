// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package softtpm starts software TPMs for tests.
package softtpm

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// New starts a TPM 2.0 with the given banks, a list such as "sha1,sha256", for
// the time of the test. Without swtpm the test is skipped, unless
// IMABOOT_LAB=require asks for everything.
func New(t *testing.T, banks string) transport.TPM {
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
		tpm, err := linuxudstpm.Open(socket)
		if err != nil {
			continue
		}
		// The socket exists before swtpm listens.
		if _, err := (tpm2.PCRRead{}).Execute(tpm); err == nil {
			t.Cleanup(func() { tpm.Close() })
			return tpm
		}
		tpm.Close()
	}
	t.Fatal("swtpm does not answer")
	return nil
}
