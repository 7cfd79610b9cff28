// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/kexec"
	"github.com/imaboot/imaboot/pkg/policy"
)

// orUnload drops what this job has loaded: after an error nothing is there
// that carries an old list.
func orUnload(err error, loaded bool) error {
	if loaded {
		return errors.Join(err, kexec.Unload(), removeState())
	}
	return err
}

// bootFlags are all that boot takes.
func (c *command) bootFlags(o *options, d *discovery) *flag.FlagSet {
	f := c.flagSet("boot")
	o.policyFlag(f)
	o.targetFlags(f)
	d.flags(f)
	d.chooseFlags(f)
	return f
}

// boot is the whole path.
func (c *command) boot(args []string) error {
	o, d := &options{}, &discovery{}
	f := c.bootFlags(o, d)
	// Usage comes before anything is touched.
	others, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(others) > 1 {
		return usagef("one KERNEL at most, %d are given", len(others))
	}
	found := d
	if len(others) == 1 {
		found = nil
	}
	if err := o.check(found); err != nil {
		return err
	}
	if err := c.configure(f); err != nil {
		return err
	}
	if err := o.check(found); err != nil {
		return err
	}
	if len(others) == 1 {
		if d.url != "" || d.entry != "" || len(d.checksums) > 0 {
			return usagef("--url, --entry and --checksum go without a KERNEL")
		}
		o.Kernel = others[0]
		return c.bootTarget(o)
	}
	return c.bootFound(o, d)
}

func (c *command) bootTarget(o *options) error {
	j, err := c.prepare(o)
	if err != nil {
		return err
	}
	defer j.close()
	// Writing back can run helpers that are measured: before the list.
	unix.Sync()
	if err := c.carryMeasured(j); err != nil {
		return err
	}
	c.step("jumping")
	return orUnload(kexec.Exec(), true)
}

// carryMeasured loads what goes, and extends what --measure asks for: as the
// last step, so that a refusal leaves no trace in PCRs, but before a last look
// at the list.
func (c *command) carryMeasured(j *job) error {
	s, err := c.loadCarry(j)
	if err != nil || j.measurement == nil {
		return err
	}
	if err := c.extend(j); err != nil {
		return orUnload(err, true)
	}
	if same, err := c.unchanged(s, j.opts.TPM); err != nil || same {
		return orUnload(err, err != nil)
	}
	_, err = c.loadCarry(j)
	return orUnload(err, err != nil)
}

// load does all but the jump.
func (c *command) load(args []string) error {
	o := &options{}
	f := c.flagSet("load")
	o.policyFlag(f)
	if err := o.parseTarget(f, args); err != nil {
		return err
	}
	j, err := c.prepare(o)
	if err != nil {
		return err
	}
	defer j.close()
	s, err := c.loadCarry(j)
	if err != nil {
		return err
	}
	if err := writeState(&state{Options: o, Digest: s.SHA256(), KexecRule: ruleText(j.kexecRule)}); err != nil {
		return orUnload(fmt.Errorf("exec could not know what is loaded: %w", err), true)
	}
	return nil
}

// exec jumps to what load loaded, or loads it again if the list has changed.
func (c *command) exec(args []string) error {
	if err := parseFlags(c.flagSet("exec"), args); err != nil {
		return err
	}
	if err := mountAll(); err != nil {
		return err
	}
	loaded, err := kexec.Loaded()
	if err != nil {
		return err
	}
	s, err := readState()
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !loaded) {
		return fmt.Errorf("%w by imaboot: use imaboot load KERNEL first", errNotLoaded)
	}
	if err != nil {
		return err
	}
	if s.Options.Measure {
		c.step("what is booted is measured at the jump: loading again")
		return c.bootTarget(s.Options)
	}
	unix.Sync()
	now, err := c.snapshot(s.Options)
	if err != nil {
		return err
	}
	rule, err := policy.MeasuresKexec("/", s.Options.PolicyText)
	if err != nil {
		return err
	}
	if digest := now.SHA256(); digest != s.Digest || ruleText(rule) != s.KexecRule || !now.report.Verdict.CanGo() {
		c.step("the list is not the one that was loaded: loading again")
		return c.bootTarget(s.Options)
	}
	c.step("jumping")
	return kexec.Exec()
}

// unload drops what is loaded.
func (c *command) unload(args []string) error {
	if err := parseFlags(c.flagSet("unload"), args); err != nil {
		return err
	}
	if err := mountAll(); err != nil {
		return err
	}
	if err := kexec.Unload(); err != nil {
		return err
	}
	c.step("nothing is loaded any more")
	return removeState()
}

// A state is what exec must know of a load.
type state struct {
	Options *options `json:"options"`
	// Digest is that of the list that was loaded.
	Digest string `json:"digest"`
	// KexecRule is the rule by which the kernel will measure the jump.
	KexecRule string `json:"kexec_rule,omitempty"`
}

const stateFile = "/run/imaboot/loaded.json"

func writeState(s *state) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(stateFile), 0o700); err != nil {
		return err
	}
	return os.WriteFile(stateFile, append(b, '\n'), 0o600)
}

func readState() (*state, error) {
	b, err := os.ReadFile(stateFile)
	if err != nil {
		return nil, err
	}
	s := &state{}
	if err := json.Unmarshal(b, s); err != nil || s.Options == nil {
		return nil, fmt.Errorf("%s is damaged: use imaboot load again: %w", stateFile, err)
	}
	return s, nil
}

func removeState() error {
	if err := os.Remove(stateFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// ruleText is "" for no rule.
func ruleText(r *policy.KexecRule) string {
	if r == nil {
		return ""
	}
	return r.Text
}
