// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/target"
)

// What --carry takes.
const (
	byKernel    = handover.ByKernel
	byInitramfs = handover.ByInitramfs
	autoCarrier = "auto"
)

// chooseCarrier decides by what the target says of itself, and tells why. What
// would arrive by neither is refused.
func (c *command) chooseCarrier(j *job) error {
	restores := j.arch.Restores(j.target.Kernel)
	if j.opts.Carry != string(byInitramfs) && restores.OK {
		c.choose(j, byKernel, restores.Evidence)
	}
	refuse := func(why string) error {
		return &verdictError{handover.NotRestored, fmt.Sprintf("%s: %s", j.opts.Kernel, why)}
	}
	if j.opts.Carry == string(byKernel) && j.carrier == "" {
		return refuse(restores.Evidence)
	}
	unpacks := j.arch.Unpacks(j.target.Kernel, c.config(j))
	initrdErr := handover.CheckInitrd(j.target.Initrd)
	if j.carrier == byKernel {
		// Without an initrd a file may not be seen by anybody.
		j.canNote = unpacks.OK && initrdErr == nil && len(j.target.Initrd) > 0
		return nil
	}
	why := unpacks.Evidence
	if j.opts.Carry == autoCarrier {
		why = restores.Evidence + "; " + why
	}
	if !unpacks.OK {
		return refuse(why)
	}
	if len(j.target.Initrd) == 0 {
		// What is unpacked is gone when the kernel itself mounts a root
		// (init/do_mounts.c, prepare_namespace).
		if cmdline.Value(j.target.Cmdline, "root") != "" && j.opts.Carry == autoCarrier {
			return refuse("without an initrd the kernel mounts root= over the list: give it one, or name --carry=initramfs if it has one built in; " + restores.Evidence)
		}
		c.step("no initrd: the list is seen only by an initramfs that is built into the kernel")
	}
	if initrdErr != nil {
		return fmt.Errorf("%s: %w", j.target.InitrdName, initrdErr)
	}
	c.choose(j, byInitramfs, why)
	return nil
}

// choose sets the carrier, and tells why.
func (c *command) choose(j *job, by handover.Carrier, why string) {
	j.carrier = by
	c.step("carrier: %s (--carry=%s): %s", by, j.opts.Carry, why)
}

// noConfig stands for a configuration that there is not.
const noConfig = "-"

// config is the configuration that lies beside the kernel, nil without one. It
// is only a help: what is no configuration is passed over.
func (c *command) config(j *job) map[string]string {
	name := j.opts.Config
	switch name {
	case "":
		name = target.ConfigName(j.opts.Kernel)
	case noConfig:
		return nil
	}
	b, err := j.file(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var config map[string]string
	if err == nil {
		config, err = archdesc.ParseConfig(bytes.NewReader(b))
	}
	if err != nil {
		c.detail("%s is no configuration: %v", name, err)
		return nil
	}
	return config
}

// pack makes what travels of a snapshot. The target's command line names a
// list that comes as a file.
func (c *command) pack(j *job, s *snapshot) (*archdesc.List, *archdesc.Target, error) {
	t := j.target
	t.Cmdline = handover.StripParam(t.Cmdline)
	order := j.arch.ListOrder(t.Cmdline)
	if s.Records() > 0 && s.ByteOrder() != order {
		return nil, nil, fmt.Errorf("%w than the target's will be with this command line: use ima_canonical_fmt in all stages or in none", handover.ErrByteOrder)
	}
	l, err := c.predict(j, s)
	if err != nil {
		return nil, nil, err
	}
	out := &archdesc.List{}
	if j.carrier == byKernel {
		out.Buffer, err = l.Buffer()
		out.Room = archdesc.Addr(j.opts.Room)
		switch {
		case err == nil && j.measurement != nil && l.Renamed():
			return nil, nil, fmt.Errorf("%w: no note can describe a list that the next kernel changes: name --carry=initramfs", errNoEventLog)
		case err == nil && (!j.canNote || j.opts.NoNote || l.Renamed()):
			if j.events != nil {
				c.step("the event log is not handed on: there is no archive that it could travel in")
			}
			return out, &t, nil
		case err == nil:
		case !j.canNote || j.opts.Carry != autoCarrier || !errors.Is(err, handover.ErrCannotCarry):
			return nil, nil, err
		default:
			c.choose(j, byInitramfs, err.Error())
			out = &archdesc.List{}
		}
	}
	release, err := handover.KernelRelease("/")
	if err != nil {
		return nil, nil, err
	}
	canonical := s.ByteOrder() != j.arch.ListOrder("")
	note := handover.NewNote(l, j.carrier, release, canonical, pcrIndex, s.values())
	if out.Archive, err = l.Archive(note, j.events); err != nil {
		return nil, nil, err
	}
	t.Cmdline = note.WithParam(t.Cmdline)
	return out, &t, nil
}

// predict appends what the kernel will measure at the jump itself.
func (c *command) predict(j *job, s *snapshot) (*handover.List, error) {
	if j.kexecRule == nil {
		return s.List, nil
	}
	if !j.kexecRule.Plain {
		return nil, fmt.Errorf("%w: the rule %q changes its form", handover.ErrPredict, j.kexecRule.Text)
	}
	l, err := s.WithExecute(s.own(), pcr.Algorithm(cmdline.Value(j.machine.Cmdline, "ima_hash")))
	if err == nil {
		c.step("the kernel will measure kexec_execute (%s): record %d is appended", j.kexecRule.Text, l.Records())
	}
	return l, err
}
