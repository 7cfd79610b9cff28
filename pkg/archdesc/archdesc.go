// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package archdesc plans a kexec: what is loaded where, and how the next kernel
// learns where its measurement list is. It knows the boot protocol of each
// architecture.
//
// A plan follows from a machine, a target and a list, and from nothing else.
// Making one needs no privilege and no system calls, except to read files, so
// that every architecture is planned and tested on every host. For the same
// reason the name of an architecture stands at the front of a file's name: Go
// would build a file named fdt_arm64.go on arm64 only.
//
// README.md lists the files of an architecture, docs/ describes the protocols.
package archdesc

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/dt"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// Plan and Recognise wrap these errors.
var (
	// ErrNotKernel means that the image is not a kernel which the
	// architecture can boot.
	ErrNotKernel = refusal.New(refusal.NotKernel, "not a bootable kernel")
	// ErrCmdlineTooLong means that the target would truncate its command
	// line.
	ErrCmdlineTooLong = refusal.New(refusal.BadCommandLine, "command line too long")
	// ErrCmdlineBytes means that the target would read its command line in
	// another character set.
	ErrCmdlineBytes = refusal.New(refusal.BadCommandLine, "command line is not ASCII")
	// ErrNotRestored means that the target cannot restore a list.
	ErrNotRestored = refusal.New(refusal.NotRestored, "target restores no list")
	// ErrNoRoom means that a segment fits nowhere in memory, or that there
	// are too many.
	ErrNoRoom = refusal.New(refusal.NoRoom, "no room in memory")
	// ErrNoSafePlace means that the list fits only where the target, which
	// moves itself to a random place before it knows of the list, may
	// overwrite it.
	ErrNoSafePlace = refusal.New(refusal.NoSafePlace, "no place out of reach of the target's KASLR")
	// ErrUnknownArch means that the architecture's boot protocol is not
	// known.
	ErrUnknownArch = refusal.New(refusal.UnknownArch, "architecture not supported")
)

// A Target is a kernel to boot, with everything it is given. The plan's segments
// share its memory, so it must not change until the plan is loaded.
type Target struct {
	// KernelName and InitrdName appear in messages.
	KernelName, InitrdName string

	// Kernel is the whole image, uncompressed.
	Kernel []byte

	// Initrd is passed on unchanged. It is empty if there is none.
	Initrd []byte

	// Cmdline is the target's command line, without a final NUL.
	Cmdline string

	// Tree, unless it is nil, replaces the machine's live device tree.
	Tree *dt.FDT

	// RNGSeed holds fresh random bytes for the target's early boot. It may
	// be empty.
	RNGSeed []byte
}

// A List is the measurement list as one of two carriers transports it.
type List struct {
	// Buffer is for the kernel's carrier: struct ima_kexec_hdr and the
	// records, in the kernel's byte order
	// (security/integrity/ima/ima_kexec.c). Its segment is larger by Room
	// bytes.
	Buffer []byte
	Room   Addr

	// Archive is for the initramfs' carrier: an uncompressed newc archive,
	// which the target unpacks before the initrd.
	Archive []byte
}

// Support says whether the kernel in an image takes a list by one carrier.
type Support struct {
	OK bool `json:"ok"`
	// Evidence says what the answer is based on.
	Evidence string `json:"evidence"`
}

// An Arch is the boot protocol of one architecture.
type Arch interface {
	// Name is the architecture's GOARCH name.
	Name() string

	// Recognise returns nil if Plan can place the kernel in the image. Its
	// error wraps ErrNotKernel and says what the image is instead.
	Recognise(image []byte) error

	// Restores reports whether the kernel in the image restores a list.
	Restores(image []byte) Support

	// ProbeMemory returns how many bytes of memory Restores may allocate for
	// the image.
	ProbeMemory(image []byte) int64

	// Unpacks reports whether the kernel in the image unpacks an archive
	// into its root file system. config is the kernel's configuration from
	// a file beside it, or nil.
	Unpacks(image []byte, config map[string]string) Support

	// ListOrder returns the byte order in which a kernel with this command
	// line writes and reads its list.
	ListOrder(cmdline string) binary.ByteOrder

	// Plan places the target and the list, which may be nil. Its errors
	// wrap those above; if memory is too small, it is a *NoRoomError.
	Plan(m *Machine, t *Target, l *List) (*Plan, error)
}

var arches = []Arch{ppc64le{}, s390x{}, amd64{}}

// ByName returns the architecture with a GOARCH name, or an error that wraps
// ErrUnknownArch.
func ByName(name string) (Arch, error) {
	i := slices.IndexFunc(arches, func(a Arch) bool { return a.Name() == name })
	if i < 0 {
		return nil, fmt.Errorf("%w: %s (known: %s)", ErrUnknownArch, name, strings.Join(Names(), ", "))
	}
	return arches[i], nil
}

// Names returns the GOARCH names of all architectures.
func Names() []string {
	var names []string
	for _, a := range arches {
		names = append(names, a.Name())
	}
	return names
}
