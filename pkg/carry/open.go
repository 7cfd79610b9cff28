// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"strings"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/policy"
	"github.com/imaboot/imaboot/pkg/target"
)

// A Job is a target on this machine, with its files open. It belongs to one
// goroutine. Close ends it.
type Job struct {
	o    Options
	t    Target
	r    *reader
	lock *jobLock

	arch    archdesc.Arch
	machine *archdesc.Machine
	target  archdesc.Target
	image   image
	files   []*target.File
	// rule makes the kernel measure the jump; nil if nothing does.
	rule *policy.KexecRule
	// measurement is what Options.Measure extends; nil without it.
	measurement *measurement
	// events is the event log that is handed on, nil without one.
	events []byte

	said travel
	// loaded is what carries the list as it was looked at last; nil before
	// Load. holds: the kernel holds something of this job.
	loaded *Result
	holds  bool
	closed bool
	// resumed: an earlier process has loaded the target, and this job has
	// not yet.
	resumed bool

	// others are stopped; nil if they run. askedQuiet: it was tried.
	others     stopped
	askedQuiet bool
}

// seedSize is what the kernel's own loader gives: RNG_SEED_SIZE of
// drivers/of/kexec.c.
const seedSize = 128

// Open opens every file of the target, which is what IMA measures, and decides
// how the list will travel. A target that the list would not reach is refused.
//
// Any number of jobs can be open and make plans, but only one at a time can load:
// from Load to Close it holds a lock, the file run/imaboot/lock under the root.
func Open(ctx context.Context, t Target, o Options) (*Job, error) {
	j, err := newJob(t, o)
	if err != nil {
		return nil, refuse(err)
	}
	if err := guard(func() error { return j.open(ctx) }); err != nil {
		_ = j.Close()
		return nil, err
	}
	return j, nil
}

// SawTPM reports whether the job has read a PCR. A caller that tries another
// target afterwards sets TPMSeen instead of TPMAuto: a TPM that was there must not
// be gone.
func (j *Job) SawTPM() bool { return j.r.sawTPM }

// newJob makes a job with no file open.
func newJob(t Target, o Options) (*Job, error) {
	o.fill()
	j := &Job{o: o, t: t, arch: o.arch}
	j.r = &reader{o: &j.o}
	if err := o.check(); err != nil {
		return nil, err
	}
	err := cmdline.Check(t.Cmdline)
	if err == nil && j.arch == nil {
		j.arch, err = archdesc.ByName(runtime.GOARCH)
	}
	return j, err
}

// take takes the lock that a job needs to load, unless it has it.
func (j *Job) take() error {
	if j.closed {
		return errClosed
	}
	if j.lock != nil {
		return nil
	}
	var err error
	j.lock, err = lock(j.o.Root)
	return err
}

// open opens the files of the target, unless they are open. What it opened is
// closed by Close, also after an error.
func (j *Job) open(ctx context.Context) error {
	if j.closed {
		return errClosed
	}
	if j.target.Kernel != nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	if j.rule, err = policy.MeasuresKexec(j.o.Root, j.o.Policy); err != nil {
		return err
	}
	if err := j.openKernel(ctx); err != nil {
		return err
	}
	if err := j.openInitrds(); err != nil {
		return err
	}
	if err := j.openTree(); err != nil {
		return err
	}
	j.target.RNGSeed = make([]byte, seedSize)
	if _, err := rand.Read(j.target.RNGSeed); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	if hasBootconfig(j.target.Initrd) {
		j.o.Log("the initrd ends with a bootconfig, which may add parameters to the command line: nothing measures it but the initrd's own digest")
	}
	if j.machine, err = archdesc.ReadMachine(j.o.Root, j.arch.Name(), os.Getpagesize()); err != nil {
		return err
	}
	j.o.Debug("command line %q", j.target.Cmdline)
	if j.image.initrdErr = handover.CheckInitrd(ctx, j.target.Initrd); ctx.Err() != nil {
		return ctx.Err()
	}
	j.image.unpacks = j.arch.Unpacks(j.target.Kernel, j.config())
	way, err := j.choose(nil)
	if err != nil {
		return err
	}
	j.say(way)
	return j.measure()
}

// openKernel opens the kernel, and asks it what it would do with a list.
func (j *Job) openKernel(ctx context.Context) error {
	f, err := j.file(j.t.Kernel, target.MaxKernel)
	if err != nil {
		return err
	}
	image, packed, err := target.Uncompress(ctx, f)
	if err != nil {
		return err
	}
	if packed != "" {
		j.files = append(j.files, image)
		packed = ", unpacked from " + packed
		if !j.hashes() {
			// Nothing needs the packed bytes any more.
			if err := f.Close(); err != nil {
				return err
			}
		}
	}
	if err := j.arch.Recognise(image.Data); err != nil {
		return fmt.Errorf("%s: %w", j.t.Kernel, err)
	}
	j.o.Log("kernel %s: %s%s", j.t.Kernel, human.Size(int64(len(image.Data))), packed)
	j.target.KernelName, j.target.Kernel, j.target.Cmdline = j.t.Kernel, image.Data, j.t.Cmdline
	if j.o.By != handover.ByInitramfs {
		j.image.restores = j.restores(image.Data)
	}
	return ctx.Err()
}

// restores asks an image whether its kernel restores a list, unless there is too
// little memory to look into it.
func (j *Job) restores(image []byte) archdesc.Support {
	if n := j.arch.ProbeMemory(image); n > 0 {
		if err := j.o.Memory.Try("looking into "+j.t.Kernel, n); err != nil {
			return archdesc.Support{Evidence: "it is not known whether it restores a list: " + err.Error()}
		}
	}
	return j.arch.Restores(image)
}

// openInitrds opens what the kernel gets as its initrd.
func (j *Job) openInitrds() error {
	j.target.InitrdName = strings.Join(j.t.Initrds, " ")
	switch len(j.t.Initrds) {
	case 0:
		return nil
	case 1:
		f, err := j.file(j.t.Initrds[0], math.MaxInt64)
		if err != nil {
			return err
		}
		j.target.Initrd = f.Data
		j.o.Log("initrd %s: %s", f.Name, human.Size(int64(len(f.Data))))
		return nil
	}
	// The unpacker skips zeros, and wants archives aligned (init/initramfs.c).
	const align = 4
	whole, parts, err := target.Join(j.t.Initrds, align, j.o.Memory)
	if err != nil {
		return err
	}
	for _, f := range parts {
		j.o.Log("initrd %s: %s", f.Name, human.Size(int64(len(f.Data))))
	}
	j.files = append(append(j.files, whole), parts...)
	j.target.Initrd = whole.Data
	return nil
}

// openTree opens the device tree that replaces the running kernel's.
func (j *Job) openTree() error {
	if j.t.DeviceTree == "" {
		return nil
	}
	f, err := j.file(j.t.DeviceTree, target.MaxTree)
	if err != nil {
		return err
	}
	if j.target.Tree, err = archdesc.ParseTree(f.Data); err != nil {
		return fmt.Errorf("%s: %w", j.t.DeviceTree, err)
	}
	j.o.Log("device tree %s: %s", j.t.DeviceTree, human.Size(int64(len(f.Data))))
	return nil
}

// config reads the kernel's configuration, nil without one. It only helps: a
// file that is no configuration is passed over.
func (j *Job) config() map[string]string {
	if j.t.Config == "" {
		return nil
	}
	f, err := target.Open(j.t.Config, target.MaxConfig, j.o.Memory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var config map[string]string
	if err == nil {
		config, err = archdesc.ParseConfig(bytes.NewReader(f.Data))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		j.o.Debug("%s is no configuration: %v", j.t.Config, err)
		return nil
	}
	return config
}

// file opens a file of at most that many bytes for the time of the job.
func (j *Job) file(name string, most int64) (*target.File, error) {
	f, err := target.Open(name, most, j.o.Memory)
	if err != nil {
		return nil, err
	}
	j.files = append(j.files, f)
	if j.hashes() {
		// The bytes that are hashed must be the bytes that are loaded,
		// whoever writes to the file and whatever a disk answers when it is
		// read again.
		return f, f.Copy()
	}
	return f, nil
}

// hashes: the target's files are hashed.
func (j *Job) hashes() bool { return j.o.RequireMeasured || j.o.Measure }

// Close closes the files of the target and gives back the lock. What is loaded
// stays loaded; every other method refuses a closed job.
func (j *Job) Close() error {
	var errs []error
	for _, f := range j.files {
		errs = append(errs, f.Close())
	}
	j.files, j.target, j.closed, j.holds = nil, archdesc.Target{}, true, false
	errs = append(errs, j.lock.close())
	j.lock = nil
	return refuse(errors.Join(errs...))
}

// Probe tells how the list would travel to a target, and why, as far as the
// kernel's image says. It opens the kernel and its configuration alone, and
// assumes that the initrds are initramfs archives.
func Probe(ctx context.Context, t Target, o Options) (by Carrier, why string, err error) {
	j, err := newJob(t, o)
	if err != nil {
		return "", "", refuse(err)
	}
	defer j.Close()
	err = guard(func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := j.openKernel(ctx); err != nil {
			return err
		}
		j.image.unpacks = j.arch.Unpacks(j.target.Kernel, j.config())
		if len(t.Initrds) > 0 {
			j.target.Initrd = []byte{0}
		}
		way, err := j.choose(nil)
		by, why = way.by, way.why
		return err
	})
	return by, why, err
}
