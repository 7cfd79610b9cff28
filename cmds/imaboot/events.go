// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-tpm/tpm2/transport"

	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/tpm"
)

// Why --measure is refused.
var (
	errUnexplained = errors.New("the event log does not lead to the PCR")
	errNoEventLog  = errors.New("the event log would not arrive")
)

// extendedFile is the event log where it was extended and the jump then
// failed: the next try goes on from it.
const extendedFile = "/run/imaboot/eventlog.extended"

// maxEventLog bounds a log that is read. Firmware's have less than 64 KiB.
const maxEventLog = 16 << 20

// firmwareLog is what the firmware and its loader handed to the kernel
// (drivers/char/tpm/eventlog/common.c).
const firmwareLog = "/sys/kernel/security/tpm0/binary_bios_measurements"

// A measurement is what --measure extends at the jump.
type measurement struct {
	base   *eventlog.Log
	events []eventlog.Event
	// done is how many events are extended.
	done int
}

// log is what the next stage gets: also of what is not extended yet.
func (m *measurement) log() *eventlog.Log { return m.base.With(m.events...) }

// measure makes the events of the target's files and command line. Nothing is
// extended yet: only a jump that will happen is to leave a trace.
func (c *command) measure(j *job) error {
	if !j.opts.Measure {
		return nil
	}
	if j.carrier == handover.ByKernel && !j.canNote {
		return fmt.Errorf("%w: the target unpacks no initramfs in front of its initrd, or has none", errNoEventLog)
	}
	dev, err := tpm.Open("/")
	if err != nil {
		return err
	}
	defer dev.Close()
	m := &measurement{}
	if m.base, err = c.eventLog(dev, j.opts); err != nil {
		return err
	}
	if err := explained(dev, m.base); err != nil {
		return err
	}
	add := func(e eventlog.Event, err error) error {
		m.events = append(m.events, e)
		return err
	}
	for _, f := range j.targetFiles() {
		if err := add(m.base.File(f.Name, f.Data)); err != nil {
			return err
		}
	}
	// Without the name of the list, which is another at each boot.
	if err := add(m.base.CommandLine(handover.StripParam(j.target.Cmdline))); err != nil {
		return err
	}
	j.measurement = m
	c.step("event log: %d events, and %d that will be extended at the jump", len(m.base.Events), len(m.events))
	return nil
}

// eventLog is the log of what PCRs hold now. Where nobody has extended those
// of loaders it is empty.
func (c *command) eventLog(dev transport.TPM, o *options) (*eventlog.Log, error) {
	l, err := c.handedLog(o)
	if err != nil || l != nil {
		return l, err
	}
	banks, err := tpm.Banks(dev, eventlog.FilePCR)
	if err != nil {
		return nil, err
	}
	empty := eventlog.New(banks)
	if explained(dev, empty) == nil {
		return empty, nil
	}
	b, err := os.ReadFile(firmwareLog)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: PCR %d or %d was extended before, and there is no %s", errUnexplained, eventlog.StringPCR, eventlog.FilePCR, firmwareLog)
	}
	if err != nil {
		return nil, err
	}
	if l, err = eventlog.Parse(b); err != nil {
		return nil, fmt.Errorf("%s: %w", firmwareLog, err)
	}
	return l, nil
}

// handedLog is the log of a jump from here that failed, or else what an
// earlier stage sent; nil if there is none.
func (c *command) handedLog(o *options) (*eventlog.Log, error) {
	b, err := handover.ReadFile(extendedFile, maxEventLog)
	from := extendedFile
	if errors.Is(err, fs.ErrNotExist) {
		var carried *handover.Carried
		if carried, err = c.carried(o.Carried); carried != nil {
			b, from = carried.EventLog, filepath.Join(carried.Dir, handover.EventFile)
		}
	}
	if err != nil || len(b) == 0 {
		return nil, err
	}
	l, err := eventlog.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return l, nil
}

// A register is one that loaders extend, in one bank.
type register struct {
	PCR       int                `json:"pcr"`
	Algorithm handover.Algorithm `json:"algorithm"`
	Match     bool               `json:"match"`
	Value     string             `json:"value"`
	Replayed  string             `json:"replayed"`
}

// registers compares a log with the TPM.
func registers(dev transport.TPM, l *eventlog.Log) ([]register, error) {
	var out []register
	for _, pcr := range []int{eventlog.StringPCR, eventlog.FilePCR} {
		r, err := tpm.ReadDevice(dev, pcr)
		if err != nil {
			return nil, err
		}
		if len(r.Unknown) > 0 {
			return nil, fmt.Errorf("%w: the TPM has banks that cannot be replayed here: %v", errUnexplained, r.Unknown)
		}
		for _, p := range r.PCRs {
			want, err := l.Replay(pcr, p.Algorithm, len(l.Events))
			if err != nil {
				return nil, err
			}
			out = append(out, register{pcr, p.Algorithm, bytes.Equal(want, p.Value), fmt.Sprintf("%x", p.Value), fmt.Sprintf("%x", want)})
		}
	}
	return out, nil
}

// explained refuses a log that does not lead to what the TPM has.
func explained(dev transport.TPM, l *eventlog.Log) error {
	all, err := registers(dev, l)
	if err != nil {
		return err
	}
	return firstMismatch(all)
}

func firstMismatch(all []register) error {
	i := slices.IndexFunc(all, func(r register) bool { return !r.Match })
	if i < 0 {
		return nil
	}
	return fmt.Errorf("%w %d: %s is %s, but %s is replayed", errUnexplained, all[i].PCR, all[i].Algorithm, all[i].Value, all[i].Replayed)
}

// extend extends what --measure asks for, once, and sees that it is there.
func (c *command) extend(j *job) error {
	m := j.measurement
	dev, err := tpm.Open("/")
	if err != nil {
		return err
	}
	defer dev.Close()
	for _, e := range m.events[m.done:] {
		if err := tpm.Extend(dev, e.PCR, e.Values()); err != nil {
			return err
		}
		m.done++
	}
	c.step("%d events are extended", len(m.events))
	return explained(dev, m.log())
}

// keepLog keeps the log of what was extended for a jump that then failed.
func (j *job) keepLog() error {
	m := j.measurement
	if m == nil || m.done == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(extendedFile), 0o700); err != nil {
		return err
	}
	return os.WriteFile(extendedFile, m.base.With(m.events[:m.done]...).Bytes(), 0o600)
}
