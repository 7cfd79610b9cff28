// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package carry boots a kernel that inherits the IMA measurement list of the
// running one.
//
// The list goes one way, a file of this package for each step:
//
//	read    the list's PCRs in every bank, then the list (pcrs.go, read.go)
//	check   replay the list, and compare it with the PCRs (check.go)
//	choose  which carrier takes it, with which note and event log (choose.go)
//	pack    make the kexec buffer, or the archive (pack.go)
//	plan    place the segments (plan.go)
//	load    kexec_load(2), until list and PCR stood still (load.go)
//	exec    stop others, extend, take a last look, jump (exec.go, quiet.go)
//
// Nothing in a loaded image is ever changed: if the list has grown, it is
// packed and loaded again.
//
// The package neither prints nor exits. Progress goes to Options.Log, and every
// error is a *Refusal.
package carry

import (
	"fmt"
	"slices"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/budget"
	"github.com/imaboot/imaboot/pkg/handover"
)

// Version is that of imaboot. It travels in the note beside a list.
const Version = "0.1.0"

// A Carrier is how a list travels.
type Carrier = handover.Carrier

// The carriers. The zero Carrier lets the target's image decide.
const (
	// ByKernel: the target's kernel restores the list.
	ByKernel = handover.ByKernel
	// ByInitramfs: the list comes as a file in front of the initrd.
	ByInitramfs = handover.ByInitramfs
)

// A Target names the files of what is to be booted. It holds names and not
// contents, because opening a file is what IMA measures. A caller that has only
// bytes writes them to a file, closes it and passes its name.
type Target struct {
	Kernel string `json:"kernel"`
	// Initrds are concatenated in this order.
	Initrds []string `json:"initrds,omitempty"`
	// DeviceTree replaces the running kernel's; "" keeps that.
	DeviceTree string `json:"device_tree,omitempty"`
	// Config is the kernel's configuration, as /boot/config-VERSION is. It
	// helps to decide how the list travels; a file that does not exist is no
	// error, and "" means none.
	Config string `json:"config,omitempty"`
	// Cmdline is the target's command line.
	Cmdline string `json:"cmdline"`
}

// A TPMMode says what to do without a TPM.
type TPMMode string

// How the list is compared with the TPM's PCRs. All but TPMOff refuse a list that
// does not lead to what the TPM has.
const (
	// TPMAuto compares if there is a TPM.
	TPMAuto TPMMode = ""
	// TPMSeen is TPMAuto on a machine that had a TPM a moment ago: it refuses
	// if there is none any more.
	TPMSeen TPMMode = "seen"
	// TPMRequire refuses a machine without a TPM, and a list that has records
	// which no PCR proves.
	TPMRequire TPMMode = "require"
	// TPMOff does not ask the TPM.
	TPMOff TPMMode = "off"
)

// A QuiesceMode says whether other processes are stopped before the jump.
type QuiesceMode string

const (
	// QuiesceAuto stops all others before the last look at the list, and
	// while a list is loaded that keeps growing. After a refusal they
	// continue. If they cannot be stopped, they run on, and Options.Log
	// says so. The zero QuiesceMode means the same.
	QuiesceAuto QuiesceMode = "auto"
	// QuiesceOff stops nobody.
	QuiesceOff QuiesceMode = "off"
)

// Options say how a list is read, checked and carried. The zero value is the
// safe default.
type Options struct {
	// Root is where the file systems of the running kernel are; "" is "/".
	Root string `json:"-"`
	// By is the carrier; "" asks the target's image.
	By      Carrier     `json:"by,omitempty"`
	TPM     TPMMode     `json:"tpm,omitempty"`
	Quiesce QuiesceMode `json:"quiesce,omitempty"`
	// Measure extends the target's files into PCR 9 and its command line
	// into PCR 8 at the jump, and hands on an event log.
	Measure bool `json:"measure,omitempty"`
	// RequireMeasured refuses a target whose files no record measures.
	RequireMeasured bool `json:"require_measured,omitempty"`
	// NoNote sends no note beside a list that the target's kernel restores.
	NoNote bool `json:"no_note,omitempty"`
	// IgnoreCarried leaves out a list that came as a file.
	IgnoreCarried bool `json:"ignore_carried,omitempty"`
	// Prefix is a file with the records that were deleted from the front of
	// the kernel's list, in any form of a list; "" for none.
	Prefix string `json:"prefix,omitempty"`
	// Policy is the text of the IMA policy in force, if the caller loaded
	// it. It is needed to predict what the kernel measures at the jump.
	Policy string `json:"policy_text,omitempty"`
	// Room is memory beyond the list in its segment, in bytes.
	Room uint64 `json:"room,omitempty"`

	// Memory is what the files of the target may take, together with those
	// of others that share it; nil is budget.Machine(Root).
	Memory *budget.Memory `json:"-"`

	// Log gets a line for each step, and Debug what explains it; nil is
	// silent. They must open nothing: the last one comes just before the
	// jump.
	Log   func(format string, args ...any) `json:"-"`
	Debug func(format string, args ...any) `json:"-"`
	// Jumping is called with what is about to be booted, before the last
	// look at the list; it may be nil. If that look shows a change, it is called
	// again with what was loaded instead. It must open nothing, and must not
	// wait for another process, which may be stopped.
	Jumping func(*Result) `json:"-"`

	// Tests plan for another architecture and stand in for the kernel.
	arch  archdesc.Arch
	calls calls
}

// A Result is what Plan made or Load loaded. Its data end with the Job.
type Result struct {
	Plan     *archdesc.Plan
	Snapshot *Snapshot
	// By is the carrier, and Why what decided it.
	By  Carrier
	Why string
}

// check refuses options that mean nothing, or contradict each other.
func (o *Options) check() error {
	switch {
	case o.By != "" && o.By != ByKernel && o.By != ByInitramfs:
		return fmt.Errorf("%w: the carrier %q is unknown", errOptions, o.By)
	case !slices.Contains([]TPMMode{TPMAuto, TPMSeen, TPMRequire, TPMOff}, o.TPM):
		return fmt.Errorf("%w: the TPM mode %q is unknown", errOptions, o.TPM)
	case o.Quiesce != "" && o.Quiesce != QuiesceAuto && o.Quiesce != QuiesceOff:
		return fmt.Errorf("%w: the quiesce mode %q is unknown", errOptions, o.Quiesce)
	case o.Measure && o.NoNote:
		return fmt.Errorf("%w: Measure sends an event log beside the note that NoNote leaves out", errOptions)
	}
	return nil
}

// fill sets what the zero value leaves open.
func (o *Options) fill() {
	silent := func(string, ...any) {}
	if o.Root == "" {
		o.Root = "/"
	}
	if o.Memory == nil {
		o.Memory = budget.Machine(o.Root)
	}
	if o.Log == nil {
		o.Log = silent
	}
	if o.Debug == nil {
		o.Debug = silent
	}
	if o.calls == nil {
		o.calls = running{o.Root}
	}
}
