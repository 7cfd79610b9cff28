// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tpm

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

func sysfs(t *testing.T, files map[string]string) string {
	t.Helper()
	under := map[string]string{}
	for name, content := range files {
		under[filepath.Join(classDir, "tpm0", name)] = content
	}
	return fileroot.New(t, under)
}

// TestReadSysfs reads what kernels show of a TPM, and names what it cannot read.
func TestReadSysfs(t *testing.T) {
	sha1 := strings.Repeat("AB", 20)
	sha256 := strings.Repeat("CD", 32)
	value := func(a pcr.Algorithm, b byte) pcr.Value {
		return pcr.Value{Algorithm: a, Value: []byte(strings.Repeat(string([]byte{b}), a.Size()))}
	}
	for _, tt := range []struct {
		name    string
		files   map[string]string
		want    *Reading
		is      error
		wantErr string
	}{
		{
			name:  "TPM 2.0",
			files: map[string]string{"pcr-sha256/10": sha256 + "\n", "pcr-sha1/10": sha1 + "\n", "pcr-sm3/10": sha256, "ppi/version": "1"},
			want:  &Reading{Index: 10, PCRs: []pcr.Value{value(pcr.SHA1, 0xab), value(pcr.SHA256, 0xcd)}, Unknown: []string{"sm3"}},
		},
		{
			name:  "TPM 1.2",
			files: map[string]string{"pcrs": "PCR-00: 00\nPCR-10: " + strings.Repeat("AB ", 20) + "\n"},
			want:  &Reading{Index: 10, PCRs: []pcr.Value{value(pcr.SHA1, 0xab)}},
		},
		{name: "only SM3", files: map[string]string{"pcr-sm3/10": sha256}, want: &Reading{Index: 10, Unknown: []string{"sm3"}}},
		{name: "none", is: errNoPCRs, wantErr: "tpm0: no such file"},
		{name: "no PCRs", files: map[string]string{"tpm_version_major": "2"}, is: errNoPCRs, wantErr: "sysfs shows no PCRs"},
		{name: "no answer", files: map[string]string{"pcr-sha256/10": ""}, is: errSilent, wantErr: "does not answer"},
		{name: "an error's number", files: map[string]string{"pcr-sha256/10": "\x00\x00"}, is: errSilent, wantErr: "is empty"},
		{name: "no answer of TPM 1.2", files: map[string]string{"pcrs": ""}, is: errSilent, wantErr: "pcrs is empty"},
		{name: "short value", files: map[string]string{"pcr-sha256/10": sha1}, is: pcr.ErrValue, wantErr: "pcr-sha256/10"},
		{name: "other PCR only", files: map[string]string{"pcr-sha256/9": sha256}, is: errSilent, wantErr: "no such file"},
		{name: "it leaves while it is read", files: map[string]string{"pcr-sha256/10": ""}, is: errSilent, wantErr: "pcr-sha256/10 is empty"},
		{name: "another error", files: map[string]string{"pcr-sha256/10/x": ""}, is: errSilent, wantErr: "is a directory"},
		{name: "a TPM 1.2 leaves", files: map[string]string{"pcrs": ""}, is: errSilent, wantErr: "pcrs is empty"},
		{name: "a TPM 1.2, another error", files: map[string]string{"pcrs/x": ""}, is: errSilent, wantErr: "is a directory"},
		{name: "no line", files: map[string]string{"pcrs": "PCR-09: 00\n"}, wantErr: "has no PCR 10"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := (&Chip{root: sysfs(t, tt.files)}).readSysfs(10)
			if (err != nil) != (tt.wantErr != "") || (err != nil && !strings.Contains(err.Error(), tt.wantErr)) {
				t.Fatalf("error %v, want %q", err, tt.wantErr)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v is not %v", err, tt.is)
			}
			if errors.Is(err, ErrNoTPM) {
				t.Error("a TPM that cannot be read passes for none")
			}
			if errors.Is(tt.is, errSilent) && refusal.Of(err) != refusal.NoTPM {
				t.Errorf("%v is %s", err, refusal.Of(err))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if got != nil && !got.Same(tt.want) {
				t.Error("the same readings differ")
			}
		})
	}
	a, b := &Reading{PCRs: []pcr.Value{value(pcr.SHA1, 1)}}, &Reading{PCRs: []pcr.Value{value(pcr.SHA1, 2)}}
	if a.Same(b) || (Readings{a}).Same(Readings{b}) || (Readings{a}).Same(Readings{a, a}) || (Readings{a}).Same(Readings{{Index: 1, PCRs: a.PCRs}}) {
		t.Error("other values are the same")
	}
}
