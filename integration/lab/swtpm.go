// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// startTPM starts a new TPM 2.0 with four banks, whose state is in dir. It ends
// with its guest, or earlier by stop.
func startTPM(ctx context.Context, dir string) (socket string, stop func(), err error) {
	if _, err := run(ctx, dir, "swtpm_setup", "--tpm2", "--tpmstate", dir, "--overwrite",
		"--pcr-banks", "sha1,sha256,sha384,sha512"); err != nil {
		return "", nil, err
	}
	socket = filepath.Join(dir, "sock")
	cmd := exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+dir,
		"--ctrl", "type=unixio,path="+socket, "--flags", "startup-clear", "--terminate")
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("swtpm: %w", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	stop = func() {
		_ = cmd.Process.Kill()
		<-exited
	}
	for {
		if _, err := os.Stat(socket); err == nil {
			return socket, stop, nil
		}
		select {
		case err := <-exited:
			return "", nil, fmt.Errorf("swtpm ended before it made its socket: %w", err)
		case <-ctx.Done():
			stop()
			return "", nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
