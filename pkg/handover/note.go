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
	"strings"

	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/pcr"
)

// NoteVersion is the version of the format of Note and of the files beside it.
const NoteVersion = 1

// A Carrier is the way in which a list travels.
type Carrier string

const (
	// ByKernel means that the next kernel restores the list into its own.
	ByKernel Carrier = "kernel"
	// ByInitramfs means that the list travels as a file beside the note.
	ByInitramfs Carrier = "initramfs"
)

// A Note is the sender's description of a list: the file handover.json.
type Note struct {
	Version int `json:"version"`
	// Carrier says how the list itself travels.
	Carrier Carrier `json:"carrier"`
	// ByteOrder is the list's byte order: little-endian or big-endian.
	ByteOrder string `json:"byte_order"`
	// Canonical is set if the sender's kernel was told to write
	// little-endian (ima_canonical_fmt).
	Canonical bool `json:"canonical"`
	// Kernel is the release of the sender's kernel.
	Kernel string `json:"kernel"`
	// Imaboot is the version of the sender's imaboot; "" before 0.1.0.
	Imaboot string `json:"imaboot,omitempty"`
	// Hop is the number of kernels whose records the list holds.
	Hop     int    `json:"hop"`
	Records int    `json:"records"`
	Bytes   int    `json:"bytes"`
	SHA256  string `json:"list_sha256"`
	// PCR is the number of the register. PCRs holds its value in each bank
	// just before the list was read, in hexadecimal; it is empty without a
	// TPM.
	PCR  int                      `json:"pcr"`
	PCRs map[pcr.Algorithm]string `json:"pcrs,omitempty"`
	// Forms is what the sender found out about the forms of its kernels; it
	// is empty if all extended true digests. See Hint.
	Forms Hint `json:"forms,omitempty"`
	// EventLog describes the event log that travels beside the list, or is
	// nil.
	EventLog *FileNote `json:"event_log,omitempty"`
}

// A FileNote describes a file beside the note.
type FileNote struct {
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// MaxEventLog bounds the size of an event log, in bytes. One jump adds less
// than 5 KB.
const MaxEventLog = 4 << 20

// describe sets or clears the note's description of an event log.
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

// NewNote describes a list. index is the number of the PCR.
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

// ParseNote reads a note and checks its values. Its errors wrap
// ErrCarriedDamaged or ErrCarriedVersion.
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

// Param is the kernel parameter that names the list which was sent with a note.
// Its value is the first TokenSize digits of the list's SHA-256 digest. The
// kernel takes a parameter with a dot to belong to a module. There is no module
// of that name, so the parameter has no effect.
//
// The command line is the only thing that every architecture's boot protocol
// carries from one kernel's user space to the next. Param tells the list of
// this boot from one that was left in an image.
const Param = "imaboot.list"

// TokenSize is the number of digits of Param's value.
const TokenSize = 16

// Token returns the value of Param for this note.
func (n *Note) Token() string { return n.SHA256[:TokenSize] }

// SHA256 returns the digest of the list's bytes, in hexadecimal.
func (l *List) SHA256() string {
	h := sha256.New()
	p := l.newPass(0)
	for at := 0; at < len(l.data); at += passStep {
		p.at(at)
		h.Write(l.data[at:min(at+passStep, len(l.data))])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// WithParam returns the command line with Param in front, where it cannot be
// taken for an argument of init.
func (n *Note) WithParam(line string) string {
	return cmdline.Set(line, Param, n.Token())
}

// StripParam returns the command line without Param.
func StripParam(line string) string { return cmdline.Remove(line, Param) }

// Token returns the value of Param in a command line, or "". If two values differ
// the error wraps ErrCarriedForeign.
//
// An initrd with a bootconfig puts words of its own in front of the command line
// (setup_command_line of init/main.c). It could name its own list there, hide the
// sender's parameter in an open quote or put "--" in front of it. Therefore every
// occurrence in the text counts, wherever it stands.
func Token(line string) (string, error) {
	token := ""
	for n := 0; ; n++ {
		_, after, found := strings.Cut(line, Param+"=")
		if !found {
			return token, nil
		}
		value := strings.TrimPrefix(after, `"`)
		if end := strings.IndexAny(value, `"`+" \t\n\v\f\r"); end >= 0 {
			value = value[:end]
		}
		if n > 0 && value != token {
			return "", fmt.Errorf("%w: the command line says both %s=%s and %s=%s", ErrCarriedForeign, Param, token, Param, value)
		}
		token, line = value, after
	}
}

// orderName returns the name of a byte order in reports and messages.
func orderName(order binary.ByteOrder) string {
	if order == binary.BigEndian {
		return "big-endian"
	}
	return "little-endian"
}

// Restored checks that a list begins with the list that the note describes,
// which the kernel was to restore. ErrCarriedLost means that nothing or only a
// part arrived, ErrCarriedDamaged that something else did.
func (n *Note) Restored(l *List) error {
	if l.records < n.Records || len(l.data) < n.Bytes || len(l.hops) <= n.Hop {
		return fmt.Errorf("%w: %q sent %d records of %d kernels, but the kernel's list has %d records of %d kernels, including its own",
			ErrCarriedLost, n.Kernel, n.Records, n.Hop, l.records, len(l.hops))
	}
	if hexSum(l.data[:n.Bytes]) != n.SHA256 {
		return fmt.Errorf("%w: the first %d bytes of the kernel's list are not those that %q sent", ErrCarriedDamaged, n.Bytes, n.Kernel)
	}
	return nil
}
