// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tpm

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// TestFind takes the TPM that the kernel takes.
func TestFind(t *testing.T) {
	const value = "pcr-sha256/10"
	for _, tt := range []struct {
		name  string
		files []string
		want  string
	}{
		{"one", []string{"sys/class/tpm/tpm0/" + value}, "tpm0"},
		{"another number", []string{"sys/class/tpm/tpm1/" + value}, "tpm1"},
		{"several", []string{"sys/class/tpm/tpm10/" + value, "sys/class/tpm/tpm2/" + value, "sys/class/tpm/tpm1/" + value}, "tpm1, which IMA uses, and not tpm2 or tpm10"},
		{"other names", []string{"sys/class/tpm/tpm/x", "sys/class/tpm/tpm01/x", "sys/class/tpm/tpmrm0/x", "sys/class/tpm/tpm-1/x"}, ""},
		{"only a device", []string{"dev/tpmrm4", "dev/tpm3"}, "tpm4"},
		{"an older kernel's device", []string{"dev/tpm3"}, "tpm3"},
		{"none", []string{"dev/null"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{}
			for _, name := range tt.files {
				files[name] = ""
			}
			root := fileroot.New(t, files)
			c, err := Find(root)
			if tt.want == "" {
				if !errors.Is(err, ErrNoTPM) || !strings.Contains(err.Error(), "sys/class/tpm lists none") {
					t.Errorf("%v, error %v", c, err)
				}
				return
			}
			if err != nil || c.String() != tt.want {
				t.Fatalf("%v, error %v, want %s", c, err, tt.want)
			}
			if want := filepath.Join(root, "sys/kernel/security", c.Name(), "binary_bios_measurements"); c.FirmwareLog() != want {
				t.Errorf("firmware's log %s", c.FirmwareLog())
			}
		})
	}
}

// TestOpenNames: what cannot be opened is named, and is no machine without a
// TPM.
func TestOpenNames(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"a TPM 1.2", map[string]string{"sys/class/tpm/tpm2/pcrs": "", "dev/tpm2": ""}, []string{"tpm2 is a TPM 1.2"}},
		{"a TPM 1.2 says so", map[string]string{"sys/class/tpm/tpm2/tpm_version_major": "1\n", "dev/tpm2": ""}, []string{"tpm2 is a TPM 1.2"}},
		{"no device", map[string]string{"sys/class/tpm/tpm2/tpm_version_major": "2\n"}, []string{"dev/tpmrm2", "dev/tpm2"}},
		{"no resource manager", map[string]string{"dev/tpm2": ""}, []string{"dev/tpmrm2", "not a device"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(fileroot.New(t, tt.files))
			if refusal.Of(err) != refusal.NoTPM || errors.Is(err, ErrNoTPM) {
				t.Fatalf("error %v", err)
			}
			for _, want := range append(tt.want, "a TPM 2.0 is needed") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
			}
			c, err := Find(fileroot.New(t, tt.files))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(10); refusal.Of(err) != refusal.NoTPM || errors.Is(err, ErrNoTPM) || !strings.Contains(err.Error(), "tpm2") {
				t.Errorf("Read: %v", err)
			}
		})
	}
}
