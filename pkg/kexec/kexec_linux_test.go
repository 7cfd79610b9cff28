// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kexec

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

// TestHint: the system's files tell why a load is not permitted.
func TestHint(t *testing.T) {
	for _, tt := range []struct {
		name  string
		errno unix.Errno
		files map[string]string
		want  string
	}{
		{"not aligned", unix.EADDRNOTAVAIL, nil, "imaboot plan"},
		{"no kexec", unix.ENOSYS, nil, "CONFIG_KEXEC"},
		{"signature", unix.EACCES, map[string]string{"sys/firmware/ipl/secure": "0\n"}, "asks for a signed kernel"},
		{"secure IPL", unix.EACCES, map[string]string{"sys/firmware/ipl/secure": "1\n"}, "started by secure IPL"},
		{"unknown", unix.EIO, nil, "the kernel's log"},
		{"disabled", unix.EPERM, map[string]string{"proc/sys/kernel/kexec_load_disabled": "1\n"}, "kexec_load_disabled is set"},
		{"locked down", unix.EPERM, map[string]string{"sys/kernel/security/lockdown": "none [integrity] confidentiality\n"}, "locked down: none [integrity]"},
		{"not locked down", unix.EPERM, map[string]string{"sys/kernel/security/lockdown": "[none] integrity\n"}, "CAP_SYS_BOOT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := fileroot.New(t, tt.files)
			want := tt.want
			if tt.errno == unix.EPERM && os.Geteuid() != 0 {
				want = "run as root"
			}
			err := error(&LoadError{Errno: tt.errno, Hint: hint(root, tt.errno)})
			if !strings.Contains(err.Error(), want) || !errors.Is(err, tt.errno) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
}
