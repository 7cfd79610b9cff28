// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/imaboot/imaboot/pkg/refusal"
	"github.com/imaboot/imaboot/pkg/trusted"
)

// Reasons why a list that was carried as a file is not joined with the
// kernel's.
var (
	// ErrCarriedDamaged means that the list or its note is not what was
	// sent.
	ErrCarriedDamaged = refusal.New(refusal.CarriedDamaged, "carried list is damaged")
	// ErrCarriedVersion means that a newer imaboot wrote the note.
	ErrCarriedVersion = refusal.New(refusal.CarriedVersion, "carried list has an unknown version")
	// ErrCarriedForeign means that the list was sent to another boot.
	ErrCarriedForeign = refusal.New(refusal.CarriedForeign, "carried list does not belong to this boot")
	// ErrCarriedLost means that a list was sent to this kernel and is gone.
	ErrCarriedLost = refusal.New(refusal.CarriedLost, "carried list is lost")
	// ErrByteOrder means that two parts of a list differ in their byte
	// order.
	ErrByteOrder = refusal.New(refusal.OtherByteOrder, "list is in another byte order")
)

// A Carried is what the previous kernel's imaboot sent to this kernel.
type Carried struct {
	// List is the list if it came as a file; nil if the kernel was to
	// restore it.
	*List
	Note *Note
	// EventLog is the event log that came with the list, or nil. EventErr
	// says why it cannot be used; the list can be used all the same.
	EventLog []byte
	EventErr error
	// Dir is the directory that everything was found in.
	Dir string
}

// IsFile reports whether a list came as a file. It is false for nil.
func (c *Carried) IsFile() bool { return c != nil && c.List != nil }

// A CarriedReport is the note on what was sent, and where it was found.
type CarriedReport struct {
	Dir string `json:"dir"`
	*Note
}

// Report returns nil for nil.
func (c *Carried) Report() *CarriedReport {
	if c == nil {
		return nil
	}
	return &CarriedReport{c.Dir, c.Note}
}

// maxNote bounds the size of a note. Real ones are smaller than 1 KB.
const maxNote = 64 << 10

// ReadCarried reads the note that was sent to the running kernel, and the list
// if it came as a file. It looks under root (normally "/") in RunDir, to which
// a hook copies the files, and then in CarriedDir, to which the kernel unpacks
// them. It returns nil if no note was sent.
//
// The kernel's command line says which list was sent to it. ReadCarried follows
// no links and reads every file once. Its errors wrap one of the ErrCarried
// values or ErrNotAllowed.
func ReadCarried(root string) (*Carried, error) {
	cmdline, err := os.ReadFile(filepath.Join(root, "proc/cmdline"))
	if err != nil {
		return nil, fmt.Errorf("running kernel's command line: %w", err)
	}
	token, err := Token(string(cmdline))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{RunDir, CarriedDir} {
		dir := filepath.Join(root, name)
		c, err := readCarried(dir, token)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("%w: run as root: %w", ErrNotAllowed, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		return c, nil
	}
	if token != "" {
		return nil, fmt.Errorf("%w: the command line says %s=%s, but it is neither in /%s nor in /%s: did the initramfs change the root without the hook for imaboot?",
			ErrCarriedLost, Param, token, RunDir, CarriedDir)
	}
	return nil, nil
}

// readCarried reads from one directory. It returns an error that wraps
// fs.ErrNotExist if nothing was sent there.
func readCarried(dir, token string) (*Carried, error) {
	if !anything(dir) && token == "" {
		return nil, fs.ErrNotExist // the directory belongs to somebody else
	}
	if err := trusted.CheckDir(dir); err != nil {
		return nil, damaged(err)
	}
	b, err := trusted.ReadFile(filepath.Join(dir, noteFile), maxNote)
	if errors.Is(err, fs.ErrNotExist) && anything(dir) {
		return nil, fmt.Errorf("%w: there is a %s, but no %s", ErrCarriedDamaged, listFile, noteFile)
	}
	if err != nil {
		return nil, damaged(err)
	}
	note, err := ParseNote(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", noteFile, err)
	}
	switch {
	case token == "":
		return nil, fmt.Errorf("%w: this kernel was started without %s", ErrCarriedForeign, Param)
	case token != note.Token():
		return nil, fmt.Errorf("%w: the command line says %s=%s, but this one is %s", ErrCarriedForeign, Param, token, note.Token())
	}
	c := &Carried{Note: note, Dir: dir}
	c.EventLog, c.EventErr = note.readEvents(dir)
	if note.Carrier == ByKernel {
		return c, nil
	}
	data, err := trusted.ReadFile(filepath.Join(dir, listFile), int64(note.Bytes))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is a %s, but no %s", ErrCarriedDamaged, noteFile, listFile)
	}
	if err != nil {
		return nil, damaged(err)
	}
	if c.List, err = note.check(data); err != nil {
		return nil, fmt.Errorf("%s: %w", listFile, err)
	}
	return c, nil
}

// readEvents reads the event log that the note describes.
func (n *Note) readEvents(dir string) ([]byte, error) {
	if n.EventLog == nil {
		return nil, nil
	}
	b, err := trusted.ReadFile(filepath.Join(dir, EventFile), int64(n.EventLog.Bytes))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s describes an event log, but %s is missing", ErrCarriedDamaged, noteFile, EventFile)
	}
	if err != nil {
		return nil, damaged(err)
	}
	if hexSum(b) != n.EventLog.SHA256 {
		return nil, fmt.Errorf("%w: %s is not what was sent", ErrCarriedDamaged, EventFile)
	}
	return b, nil
}

// damaged turns the error of an untrusted file into ErrCarriedDamaged.
func damaged(err error) error {
	if errors.Is(err, trusted.ErrUntrusted) {
		return fmt.Errorf("%w: %w", ErrCarriedDamaged, err)
	}
	return err
}

// anything reports whether a directory holds a list or a note.
func anything(dir string) bool {
	for _, name := range []string{noteFile, listFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// check compares a list with what its note says of it.
func (n *Note) check(data []byte) (*List, error) {
	l, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrCarriedDamaged, err.Error())
	}
	for _, x := range []struct {
		what      string
		got, want any
	}{
		{"bytes", len(data), n.Bytes},
		{"records", l.records, n.Records},
		{"hops", len(l.hops), n.Hop},
		{"digest", l.SHA256(), n.SHA256},
		{"byte order", orderName(l.order), n.ByteOrder},
	} {
		if x.got != x.want {
			return nil, fmt.Errorf("%w: %s: %v, but %v was sent", ErrCarriedDamaged, x.what, x.got, x.want)
		}
	}
	return l, nil
}

// KernelRelease returns the release of the running kernel, as uname -r prints
// it.
func KernelRelease(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, "proc/sys/kernel/osrelease"))
	return strings.TrimSpace(string(b)), err
}
