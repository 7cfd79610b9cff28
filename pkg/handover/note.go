// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/pcr"
)

// NoteVersion is the version of the format of Note and of what is beside it.
const NoteVersion = 1

// A Carrier is how a list travels.
type Carrier string

const (
	// ByKernel means that the next kernel restores it into its own list.
	ByKernel Carrier = "kernel"
	// ByInitramfs means as a file beside the note.
	ByInitramfs Carrier = "initramfs"
)

// A Note is what a sender says of a list: the file handover.json.
type Note struct {
	Version int `json:"version"`
	// Carrier is how the list itself travels.
	Carrier Carrier `json:"carrier"`
	// ByteOrder is that of the list: little-endian or big-endian.
	ByteOrder string `json:"byte_order"`
	// Canonical: the sender's kernel was told to write little-endian.
	Canonical bool `json:"canonical"`
	// Kernel is the release of the sender's kernel.
	Kernel string `json:"kernel"`
	// Imaboot is the version of the sender's imaboot, "" for one before 0.1.0.
	Imaboot string `json:"imaboot,omitempty"`
	// Hop is how many kernels' records are in the list.
	Hop     int    `json:"hop"`
	Records int    `json:"records"`
	Bytes   int    `json:"bytes"`
	SHA256  string `json:"list_sha256"`
	// PCR is the register's number, PCRs its value in each bank just before
	// the list was read, as hexadecimal digits; none without a TPM.
	PCR  int                      `json:"pcr"`
	PCRs map[pcr.Algorithm]string `json:"pcrs,omitempty"`
	// EventLog is what travels beside the list; nil without one.
	EventLog *FileNote `json:"event_log,omitempty"`
}

// A FileNote is what a note says of a file beside it.
type FileNote struct {
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// MaxEventLog bounds an event log, in bytes: one jump adds less than 5 KB.
const MaxEventLog = 4 << 20

// describe notes an event log.
func (n *Note) describe(events []byte) {
	n.EventLog = nil
	if len(events) > 0 {
		n.EventLog = &FileNote{len(events), hexSum(events)}
	}
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// NewNote describes a list.
func NewNote(l *List, by Carrier, kernel string, canonical bool, index int, pcrs []pcr.Value) *Note {
	n := &Note{
		Version: NoteVersion, Carrier: by, ByteOrder: orderName(l.order), Canonical: canonical, Kernel: kernel,
		Hop: len(l.hops), Records: l.records, Bytes: len(l.data), SHA256: l.SHA256(), PCR: index,
	}
	for _, p := range pcrs {
		if n.PCRs == nil {
			n.PCRs = map[pcr.Algorithm]string{}
		}
		n.PCRs[p.Algorithm] = hex.EncodeToString(p.Value)
	}
	return n
}

// ParseNote reads a note and checks what it must hold.
func ParseNote(b []byte) (*Note, error) {
	var head struct{ Version *int }
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCarriedDamaged, err)
	}
	if head.Version == nil {
		return nil, fmt.Errorf("%w: it has no version", ErrCarriedDamaged)
	}
	if *head.Version != NoteVersion {
		return nil, fmt.Errorf("%w: %d, this imaboot knows %d", ErrCarriedVersion, *head.Version, NoteVersion)
	}
	n := &Note{}
	if err := json.Unmarshal(b, n); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCarriedDamaged, err)
	}
	if n.Carrier != ByKernel && n.Carrier != ByInitramfs {
		return nil, fmt.Errorf("%w: carrier %q", ErrCarriedDamaged, n.Carrier)
	}
	if n.Bytes < 0 || n.Records < 0 {
		return nil, fmt.Errorf("%w: %d records, %d bytes", ErrCarriedDamaged, n.Records, n.Bytes)
	}
	for a, value := range n.PCRs {
		if _, err := pcr.New(string(a), value); err != nil {
			return nil, fmt.Errorf("%w: %s", ErrCarriedDamaged, err.Error())
		}
	}
	if e := n.EventLog; e != nil && (e.Bytes < 0 || e.Bytes > MaxEventLog) {
		return nil, fmt.Errorf("%w: an event log of %d bytes", ErrCarriedDamaged, e.Bytes)
	}
	if sum, err := hex.DecodeString(n.SHA256); err != nil || len(sum) != sha256.Size {
		return nil, fmt.Errorf("%w: list_sha256 %q", ErrCarriedDamaged, n.SHA256)
	}
	return n, nil
}

// Param is the parameter of a kernel's command line that names the list which
// was handed to it with a note: the first TokenSize digits of its SHA-256
// digest. A kernel takes a parameter with a dot for one of a module that it
// does not have, and passes it to nobody.
//
// It is the only thing that every architecture's boot protocol takes from one
// kernel's user space to the next's, and tells a list that is this boot's
// from one that was left in an image.
const Param = "imaboot.list"

// TokenSize is the number of digits of Param's value.
const TokenSize = 16

// Token is the value of Param.
func (n *Note) Token() string { return n.SHA256[:TokenSize] }

// SHA256 is the digest of the list's bytes, in hexadecimal digits.
func (l *List) SHA256() string { return hexSum(l.data) }

// WithParam returns a command line that begins with Param, and StripParam one
// without. In front it cannot be taken for an argument of init.
func (n *Note) WithParam(line string) string {
	return cmdline.Set(line, Param, n.Token())
}

// StripParam removes Param from a command line.
func StripParam(line string) string { return cmdline.Remove(line, Param) }

// Token is the value of Param in a command line, "" without one.
func Token(line string) string { return cmdline.Value(line, Param) }

// orderName is how reports and messages call a byte order.
func orderName(order binary.ByteOrder) string {
	if order == binary.BigEndian {
		return "big-endian"
	}
	return "little-endian"
}

// Restored tells whether a list, that of a kernel which was to restore what
// the note describes, begins with it. ErrCarriedLost means that nothing
// arrived, or not all of it, ErrCarriedDamaged that something else did.
func (n *Note) Restored(l *List) error {
	if l.records < n.Records || len(l.data) < n.Bytes || len(l.hops) <= n.Hop {
		return fmt.Errorf("%w: %q sent %d records of %d kernels, but the kernel's list has %d of %d with its own",
			ErrCarriedLost, n.Kernel, n.Records, n.Hop, l.records, len(l.hops))
	}
	if hexSum(l.data[:n.Bytes]) != n.SHA256 {
		return fmt.Errorf("%w: the kernel's list begins with %d bytes that are not those that %q sent", ErrCarriedDamaged, n.Bytes, n.Kernel)
	}
	return nil
}
