// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"path/filepath"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
)

// TestBusybox: the same source is a command of a gobusybox with u-root's.
func TestBusybox(t *testing.T) {
	needLab(t)
	t.Parallel()
	initramfs := filepath.Join(t.TempDir(), "initramfs.cpio")
	if err := theLab.Busybox(t.Context(), "ppc64le", initramfs); err != nil {
		t.Fatal(err)
	}
	runGuest(t, lab.Guest{
		CPUs: 1, Initramfs: initramfs, Until: "PCR 10: sha1 match, sha256 match, sha384 match, sha512 match",
		Stages: []lab.Stage{{Kernel: kernel(t, lab.Own4k)}},
	})
}
