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

// Why a list that was carried as a file cannot be joined with the kernel's.
// Nothing is joined then.
var (
	// ErrCarriedDamaged means that list and note are not what was sent.
	ErrCarriedDamaged = refusal.New(refusal.CarriedDamaged, "carried list is damaged")
	// ErrCarriedVersion means that a newer imaboot made it.
	ErrCarriedVersion = refusal.New(refusal.CarriedVersion, "carried list has an unknown version")
	// ErrCarriedForeign means that it was not handed to this kernel.
	ErrCarriedForeign = refusal.New(refusal.CarriedForeign, "carried list does not belong to this boot")
	// ErrCarriedLost means that one was handed to this kernel and is gone.
	ErrCarriedLost = refusal.New(refusal.CarriedLost, "carried list is lost")
	// ErrByteOrder means that two parts of a list have different ones.
	ErrByteOrder = refusal.New(refusal.OtherByteOrder, "list is in another byte order")
)

// A Carried is what earlier kernels sent.
type Carried struct {
	// List came as a file; nil if the kernel was to restore it.
	*List
	Note *Note
	// EventLog is what came beside it, nil without one, and EventErr why it
	// cannot be used. The list can be used without it.
	EventLog []byte
	EventErr error
	// Dir is where it was found.
	Dir string
}

// IsFile reports whether a list came as a file; false for nil.
func (c *Carried) IsFile() bool { return c != nil && c.List != nil }

// maxNote bounds the note; one has less than 1 KB.
const maxNote = 64 << 10

// ReadCarried reads the note of what was sent to the running kernel, and the
// list if that came as a file, from the file systems under root ("/"): what a
// hook copied to RunDir, else what the kernel unpacked to CarriedDir. It
// returns nil if no note was sent.
//
// The kernel's command line says which one was handed to it. Nothing is
// followed through links, and every file is read once.
func ReadCarried(root string) (*Carried, error) {
	cmdline, err := os.ReadFile(filepath.Join(root, "proc/cmdline"))
	if err != nil {
		return nil, fmt.Errorf("running kernel's command line: %w", err)
	}
	token := Token(string(cmdline))
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

// readCarried reads from one directory; an error that wraps fs.ErrNotExist
// means that there is nothing.
func readCarried(dir, token string) (*Carried, error) {
	if !anything(dir) && token == "" {
		return nil, fs.ErrNotExist // whatever else has that name
	}
	if err := trusted.CheckDir(dir); err != nil {
		return nil, damaged(err)
	}
	b, err := trusted.ReadFile(filepath.Join(dir, noteFile), maxNote)
	if errors.Is(err, fs.ErrNotExist) && anything(dir) {
		return nil, fmt.Errorf("%w: %s is there, but no %s", ErrCarriedDamaged, listFile, noteFile)
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
		return nil, fmt.Errorf("%w: %s is there, but no %s", ErrCarriedDamaged, noteFile, listFile)
	}
	if err != nil {
		return nil, damaged(err)
	}
	if c.List, err = note.check(data); err != nil {
		return nil, fmt.Errorf("%s: %w", listFile, err)
	}
	return c, nil
}

// readEvents reads the event log that a note speaks of.
func (n *Note) readEvents(dir string) ([]byte, error) {
	if n.EventLog == nil {
		return nil, nil
	}
	b, err := trusted.ReadFile(filepath.Join(dir, EventFile), int64(n.EventLog.Bytes))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s speaks of an event log, but %s is not there", ErrCarriedDamaged, noteFile, EventFile)
	}
	if err != nil {
		return nil, damaged(err)
	}
	if hexSum(b) != n.EventLog.SHA256 {
		return nil, fmt.Errorf("%w: %s is not what was sent", ErrCarriedDamaged, EventFile)
	}
	return b, nil
}

// damaged says of a file that cannot be trusted what that means for a list.
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

// check compares a list with what the sender said of it.
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

// KernelRelease is the release of the running kernel, as uname -r prints it.
func KernelRelease(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, "proc/sys/kernel/osrelease"))
	return strings.TrimSpace(string(b)), err
}
