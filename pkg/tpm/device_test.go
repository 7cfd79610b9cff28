// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tpm

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/internal/testing/softtpm"
	"github.com/imaboot/imaboot/pkg/refusal"
)

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

// TestReadDevice reads every bank of a TPM, and detects that a register
// changed.
func TestReadDevice(t *testing.T) {
	tpm := softtpm.New(t, "sha1,sha256,sha384,sha512")
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
	// Changing another register changes the counter, but not this one's
	// values.
	extend(t, tpm, 11, tpm2.TPMAlgSHA256, bytes.Repeat([]byte{1}, 32))
	counter, err := UpdateCounter(tpm)
	if err != nil {
		t.Fatal(err)
	}
	if counter == *after.Counter {
		t.Error("the counter did not move")
	}
}

// TestReadDeviceOneBank: banks that are not allocated are not read.
func TestReadDeviceOneBank(t *testing.T) {
	r, err := ReadDevice(softtpm.New(t, "sha384"), 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.PCRs) != 1 || r.PCRs[0].Algorithm != "sha384" {
		t.Errorf("%+v", r)
	}
}

// TestRead takes the values from sysfs if it has them, and the counter from the
// device.
func TestRead(t *testing.T) {
	tpm := softtpm.New(t, "sha1,sha256")
	extend(t, tpm, 10, tpm2.TPMAlgSHA256, bytes.Repeat([]byte{1}, 32))
	root := t.TempDir()
	c := &Chip{Number: 3, root: root}
	all, err := c.read(tpm, nil, []int{10, 11})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || len(all[0].PCRs) != 2 || all[0].Counter == nil || all[1].Index != 11 || bytes.Equal(all[0].PCRs[1].Value, make([]byte, 32)) {
		t.Errorf("without sysfs: %+v", all)
	}
	fileroot.Add(t, root, map[string]string{
		"sys/class/tpm/tpm3/pcr-sha256/10": strings.Repeat("5A", 32),
		"sys/class/tpm/tpm3/pcr-sha256/11": strings.Repeat("5B", 32),
	})
	if all, err = c.read(tpm, nil, []int{10, 11}); err != nil {
		t.Fatal(err)
	}
	if len(all[0].PCRs) != 1 || all[0].PCRs[0].Value[0] != 0x5a || all[1].PCRs[0].Value[0] != 0x5b || all[0].Counter == nil {
		t.Errorf("with sysfs: %+v", all)
	}
	// Where sysfs has no value, the device has.
	fileroot.Add(t, root, map[string]string{"sys/class/tpm/tpm3/pcr-sha256/10": ""})
	if all, err = c.read(tpm, nil, []int{10}); err != nil || len(all[0].PCRs) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	// Without a device there is no counter.
	if all, err = c.Read(11); err != nil || all[0].Counter != nil {
		t.Errorf("%+v, %v", all, err)
	}
}

// silent is a device that fails as a whole.
type silent struct{ err error }

func (s silent) Send([]byte) ([]byte, error) { return nil, s.err }

// TestSilent: whatever errno a device fails with, the TPM does not answer, and
// that is no machine without a TPM.
func TestSilent(t *testing.T) {
	for _, errno := range []error{unix.ENODEV, unix.EIO, unix.EPIPE, unix.ETIME, io.EOF} {
		_, err := ReadDevice(silent{errno}, 10)
		_, counterErr := UpdateCounter(silent{errno})
		for _, err := range []error{err, counterErr} {
			if !errors.Is(err, errSilent) || errors.Is(err, ErrNoTPM) || !errors.Is(err, errno) || refusal.Of(err) != refusal.NoTPM {
				t.Errorf("%v: error %v", errno, err)
			}
		}
		// An extend has a name of its own, and only one.
		err = Extend(silent{errno}, 10, nil)
		if names := refusal.Names(err); len(names) != 1 || names[0] != refusal.NotExtended {
			t.Errorf("%v: error %v has the names %v", errno, err, names)
		}
	}
}
