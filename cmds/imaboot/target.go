// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/policy"
	"github.com/imaboot/imaboot/pkg/target"
)

// A job is a target on this machine, with all of its files open: opening is
// what IMA measures, and must be over before the list is read.
type job struct {
	opts    *options
	arch    archdesc.Arch
	machine *archdesc.Machine
	target  archdesc.Target
	carrier handover.Carrier
	// canNote: besides what the target's kernel restores, a note, or what it
	// would not restore, can come as a file.
	canNote bool
	// kexecRule makes the kernel measure the jump; nil if nothing does.
	kexecRule *policy.KexecRule
	// measurement is what --measure extends; nil without it.
	measurement *measurement
	// events is the event log that is handed on, nil without one.
	events []byte
	files  []*target.File
}

// seedSize is what the kernel's own loader gives: RNG_SEED_SIZE of
// drivers/of/kexec.c.
const seedSize = 128

func (c *command) prepare(o *options) (*job, error) {
	if err := mountAll(); err != nil {
		return nil, err
	}
	arch, err := archdesc.ByName(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	if err := c.loadPolicy(o); err != nil {
		return nil, err
	}
	rule, err := policy.MeasuresKexec("/", o.PolicyText)
	if err != nil {
		return nil, err
	}
	j := &job{opts: o, arch: arch, kexecRule: rule}
	if err := c.open(j); err != nil {
		j.close()
		return nil, err
	}
	return j, nil
}

// open fills a job. What it opened is closed by close, also after an error.
func (c *command) open(j *job) error {
	o := j.opts
	kernel, err := j.file(o.Kernel)
	if err != nil {
		return err
	}
	image, packed, err := target.Uncompress(kernel)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", target.ErrFile, o.Kernel, err)
	}
	if err := j.arch.Recognise(image); err != nil {
		return fmt.Errorf("%s: %w", o.Kernel, err)
	}
	if packed != "" {
		packed = ", unpacked from " + packed
	}
	c.step("kernel %s: %s%s", o.Kernel, size(len(image)), packed)

	j.target = archdesc.Target{KernelName: o.Kernel, Kernel: image, RNGSeed: make([]byte, seedSize)}
	if _, err := rand.Read(j.target.RNGSeed); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	if err := c.openInitrds(j); err != nil {
		return err
	}
	if o.DTB != "" {
		blob, err := j.file(o.DTB)
		if err != nil {
			return err
		}
		if j.target.Tree, err = archdesc.ParseTree(blob); err != nil {
			return fmt.Errorf("%s: %w", o.DTB, err)
		}
		c.step("device tree %s: %s", o.DTB, size(len(blob)))
	}
	if j.machine, err = archdesc.ReadMachine("/", runtime.GOARCH, os.Getpagesize()); err != nil {
		return err
	}
	j.target.Cmdline = o.CommandLine
	if o.ReuseCmdline {
		j.target.Cmdline = cmdline.Reuse(j.machine.Cmdline, o.CommandLine, handover.Param)
	}
	c.detail("command line %q", j.target.Cmdline)
	if err := c.chooseCarrier(j); err != nil {
		return err
	}
	return c.measure(j)
}

// openInitrds opens what the kernel gets as its initrd.
func (c *command) openInitrds(j *job) error {
	for i, name := range j.opts.Initrds {
		b, err := j.file(name)
		if err != nil {
			return err
		}
		c.step("initrd %s: %s", name, size(len(b)))
		if i == 0 {
			j.target.Initrd = b
			continue
		}
		// The unpacker skips zeros, and wants archives aligned
		// (init/initramfs.c).
		const align = 4
		j.target.Initrd = slices.Concat(j.target.Initrd, make([]byte, -len(j.target.Initrd)&(align-1)), b)
	}
	j.target.InitrdName = strings.Join(j.opts.Initrds, " ")
	return nil
}

// file opens a file for the time of the job.
func (j *job) file(name string) ([]byte, error) {
	f, err := target.Open(name)
	if err != nil {
		return nil, err
	}
	j.files = append(j.files, f)
	if j.opts.RequireMeasured || j.opts.Measure {
		// What is hashed must be what is loaded, whoever writes to the
		// file, or whatever a disk answers when it is asked again.
		if err := f.Copy(); err != nil {
			return nil, err
		}
	}
	return f.Data, nil
}

func (j *job) close() {
	for _, f := range j.files {
		_ = f.Close()
	}
}
