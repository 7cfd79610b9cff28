// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package listfile reads a measurement list from a file, in every form in which
// people keep one: as the kernel writes it, as the kernel prints it, as a kexec
// buffer, and each of these compressed.
package listfile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/imaboot/imaboot/pkg/budget"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/target"
)

// A Form is the form of a list in a file.
type Form string

// The forms.
const (
	// Binary is binary_runtime_measurements, of any bank and byte order.
	Binary Form = "binary"
	// ASCII is ascii_runtime_measurements, of any bank.
	ASCII Form = "ascii"
	// KexecBuffer is what a kernel hands to the next one: a header and the
	// binary list.
	KexecBuffer Form = "kexec-buffer"
)

// A File is the content of a file that holds a list.
type File struct {
	Name string `json:"-"`
	Form Form   `json:"form"`
	// Packed is the compression that Data was unpacked from, or "".
	Packed string `json:"packed,omitempty"`
	// Doubts say what the text form leaves open. They are set by List.
	Doubts []handover.Doubt `json:"doubts,omitempty"`
	// Data is what the file holds, unpacked.
	Data []byte `json:"-"`

	plain   *target.File // whose Data it is
	mapping *mapping     // of Open, or nil
}

// Read reads a file, or standard input if the name is Stdin, and unpacks it. It
// recognizes the form, but does not check the list. Errors wrap target.ErrFile.
func Read(name string) (*File, error) {
	b, err := ReadBytes(name, maxFile)
	if err != nil {
		return nil, err
	}
	return open(name, b)
}

// Open does what Read does, but maps a regular file instead of reading it. Who uses
// its Data, or what was parsed from it, does so in File.Guard and before Close.
func Open(name string) (*File, error) {
	m := mapFile(name)
	if m == nil {
		return Read(name)
	}
	var f *File
	err := guard(name, func() (err error) {
		f, err = open(name, m.Data)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	f.mapping = m
	return f, nil
}

// Guard does what target.Guard does, and an error that wraps target.ErrFault names
// the file.
func (f *File) Guard(read func() error) error { return guard(f.Name, read) }

func guard(name string, read func() error) error {
	err := target.Guard(read)
	if errors.Is(err, target.ErrFault) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return err
}

// Release takes what was read of a mapped binary list out of memory, from one
// offset in Data to another. Reading it again brings it back.
func (f *File) Release(from, to int) {
	if f.mapping != nil && f.Packed == "" {
		f.mapping.Release(from, to)
	}
}

// Changed reports whether somebody wrote to a mapped file since Open, so that two
// passes over it may have seen different lists.
func (f *File) Changed() bool { return f.mapping != nil && f.mapping.changed() }

// Close gives the memory back. Data must not be used afterwards, nor a list that
// was parsed from it.
func (f *File) Close() error {
	f.Data = nil
	err := f.plain.Close()
	if f.mapping != nil {
		err = errors.Join(err, f.mapping.Close())
		f.mapping = nil
	}
	return err
}

func open(name string, b []byte) (*File, error) {
	plain, packed, err := target.Uncompress(context.Background(), target.Of(name, b, budget.Machine("/")))
	if err != nil {
		return nil, err
	}
	return &File{Name: name, Form: formOf(plain.Data), Packed: packed, Data: plain.Data, plain: plain}, nil
}

func formOf(data []byte) Form {
	switch {
	case handover.IsASCII(data):
		return ASCII
	case beginsLikeBuffer(data):
		return KexecBuffer
	}
	return Binary
}

// beginsLikeBuffer reports whether data begins with struct ima_kexec_hdr of
// security/integrity/ima/ima.h: a version of 1, reserved bytes that are zero,
// and a size.
func beginsLikeBuffer(data []byte) bool {
	if len(data) < handover.HeaderSize {
		return false
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		// A violation of PCR 1 begins alike, but with more zeros.
		if order.Uint16(data) == 1 && order.Uint16(data[2:]) == 0 && order.Uint32(data[4:]) == 0 && order.Uint64(data[8:]) != 0 {
			return true
		}
	}
	return false
}

// List parses the list. Errors name the file and, for another form than the
// binary one, the form.
func (f *File) List() (l *handover.List, err error) {
	switch f.Form {
	case ASCII:
		if l, f.Doubts, err = handover.ParseASCII(f.Data); err != nil {
			return nil, fmt.Errorf("%s: text form: %w", f.Name, err)
		}
		return l, nil
	case KexecBuffer:
		l, err = handover.ParseBuffer(f.Data)
	default:
		l, err = handover.ParseAny(f.Data)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return l, nil
}

// ReadList reads a file and parses its list.
func ReadList(name string) (*handover.List, error) {
	f, err := Read(name)
	if err != nil {
		return nil, err
	}
	return f.List()
}

// Text says in a line how the list was read, or nothing if it is the kernel's
// own file.
func (f *File) Text() string {
	var text string
	switch f.Form {
	case ASCII:
		text = f.Name + ": the kernel's text form; binary records were made of it"
	case KexecBuffer:
		text = f.Name + ": a kexec buffer"
	case Binary:
		if f.Packed == "" {
			return ""
		}
		text = f.Name + ": a binary list"
	}
	if f.Packed != "" {
		text += ", unpacked from " + f.Packed
	}
	for _, d := range f.Doubts {
		text += fmt.Sprintf("; records in doubt: %d, from record %d on: %s", d.Records, d.First, d.Why)
	}
	return text
}
