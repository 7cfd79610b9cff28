// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package archdesc plans a kexec: one file per architecture knows its boot
// protocol, and how the next kernel is told where its measurement list is.
//
// Everything here is a pure function from a machine, a target and a list to a
// plan. Nothing makes a system call beyond reading files, so that every
// architecture is planned and tested on any host.
package archdesc

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/dt"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// Reasons for which no plan can be made.
var (
	// ErrNotKernel means the image is no kernel that the architecture boots.
	ErrNotKernel = refusal.New(refusal.NotKernel, "not a bootable kernel")
	// ErrCmdlineTooLong means the target would cut its command line.
	ErrCmdlineTooLong = refusal.New(refusal.BadCommandLine, "command line too long")
	// ErrCmdlineBytes means the target would read the command line in
	// another character set.
	ErrCmdlineBytes = refusal.New(refusal.BadCommandLine, "command line is not ASCII")
	// ErrNotRestored means the target has no support for restoring a list.
	ErrNotRestored = refusal.New(refusal.NotRestored, "target restores no list")
	// ErrNoRoom means memory has no place for a segment.
	ErrNoRoom = refusal.New(refusal.NoRoom, "no room in memory")
	// ErrUnknownArch means there is no boot protocol for the machine.
	ErrUnknownArch = refusal.New(refusal.UnknownArch, "architecture not supported")
)

// A Target is what is to be booted. The plan's segments share its memory, so
// it must stay as it is until the plan is loaded.
type Target struct {
	// KernelName and InitrdName are for messages.
	KernelName, InitrdName string

	// Kernel is the whole, uncompressed image.
	Kernel []byte

	// Initrd is passed on as it is; empty for none.
	Initrd []byte

	// Cmdline is the target's command line, without a final NUL.
	Cmdline string

	// Tree replaces the machine's live device tree if it is not nil.
	Tree *dt.FDT

	// RNGSeed is fresh randomness for the target's early boot, empty for
	// none.
	RNGSeed []byte
}

// A List is the measurement list on its way, by one of two carriers.
type List struct {
	// Buffer is for the kernel's carrier: the kexec buffer, that is struct
	// ima_kexec_hdr and the records. Its segment has Room bytes beyond.
	Buffer []byte
	Room   Addr

	// Archive is for the initramfs' carrier: an uncompressed newc archive
	// that the target unpacks in front of the initrd.
	Archive []byte
}

// Support is what an image says of taking a list that is handed to it.
type Support struct {
	OK bool `json:"ok"`
	// Evidence names what decided.
	Evidence string `json:"evidence"`
}

// An Arch is the boot protocol of one architecture.
type Arch interface {
	// Name is the architecture's GOARCH name.
	Name() string

	// Recognise returns nil if the image is a kernel that Plan can place,
	// else an error that wraps ErrNotKernel and says what it is instead.
	Recognise(image []byte) error

	// Restores tells whether the kernel in the image would restore a list.
	Restores(image []byte) Support

	// Unpacks tells whether the kernel in the image would unpack an archive
	// into its root file system. config is the kernel's configuration from
	// a file beside it; nil if there is none.
	Unpacks(image []byte, config map[string]string) Support

	// ListOrder is the byte order of the list of a kernel that was started
	// with a command line.
	ListOrder(cmdline string) binary.ByteOrder

	// Plan places the target and, unless it is nil, the list.
	Plan(m *Machine, t *Target, l *List) (*Plan, error)
}

var arches = []Arch{ppc64le{}, s390x{}}

// ByName returns the architecture of a GOARCH name.
func ByName(name string) (Arch, error) {
	i := slices.IndexFunc(arches, func(a Arch) bool { return a.Name() == name })
	if i < 0 {
		return nil, fmt.Errorf("%w: %s (known: %s)", ErrUnknownArch, name, strings.Join(Names(), ", "))
	}
	return arches[i], nil
}

// Names are the GOARCH names of all architectures.
func Names() []string {
	var names []string
	for _, a := range arches {
		names = append(names, a.Name())
	}
	return names
}
