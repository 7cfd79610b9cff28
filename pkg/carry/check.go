// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"fmt"
	"slices"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/policy"
	"github.com/imaboot/imaboot/pkg/target"
)

// check refuses a snapshot that must not be carried. It returns the list as it
// will be at the jump.
func (j *Job) check(s *Snapshot) (*handover.List, error) {
	j.o.Log("list: %s in %s, %s; %s", human.Count(s.Records(), "records"), human.Count(len(s.Report.Hops), "hops"), human.Size(int64(len(s.Bytes()))), s.Report.Text)
	// readTPM has refused a missing TPM where one is required.
	if s.inMotion() {
		return nil, fmt.Errorf("%w: %s: stop what runs beside imaboot", errGrowing, s.Report.Text)
	}
	if !j.o.accept(s.Report.Verdict) {
		return nil, bad(s.Report.Verdict, s.Report.Text)
	}
	if err := j.checkMeasured(s); err != nil {
		return nil, err
	}
	order := j.arch.ListOrder(handover.StripParam(j.target.Cmdline))
	if s.Records() > 0 && s.ByteOrder() != order {
		return nil, fmt.Errorf("%w than the target's will be with this command line: use ima_canonical_fmt in all stages or in none", handover.ErrByteOrder)
	}
	return j.predict(s)
}

// accept reports whether a list with this verdict may be carried. TPMRequire wants
// all of it proven.
func (o *Options) accept(v handover.Verdict) bool {
	return v.CanGo() && (o.TPM != TPMRequire || v == handover.Match)
}

// inMotion reports whether list and PCR differ only because something is being
// measured.
func (s *Snapshot) inMotion() bool {
	switch v := s.Report.Verdict; v {
	case handover.ListAhead:
		return s.grew || s.moved
	case handover.Tampered:
		return false
	default:
		return s.moved && !v.CanGo()
	}
}

// checkMeasured finds the content of the target's files in the list. It looks
// for the very bytes that will be loaded.
func (j *Job) checkMeasured(s *Snapshot) error {
	if !j.o.RequireMeasured {
		return nil
	}
	for _, f := range j.targetFiles() {
		n := s.Report.Measured(s.List, f.Data)
		if n == 0 {
			return fmt.Errorf("%w: the content of %s is in no record of the list: load a policy that measures what is read (--policy), and let nobody write to it", handover.ErrNotMeasured, f.Name)
		}
		j.o.Log("%s is measured: record %d", f.Name, n)
	}
	return nil
}

// targetFiles are those that are loaded, and not only looked at.
func (j *Job) targetFiles() []*target.File {
	names := append([]string{j.t.Kernel, j.t.DeviceTree}, j.t.Initrds...)
	return slices.DeleteFunc(slices.Clone(j.files), func(f *target.File) bool { return !slices.Contains(names, f.Name) })
}

// predict appends the record that the kernel will make at the jump itself.
func (j *Job) predict(s *Snapshot) (*handover.List, error) {
	if j.rule == nil {
		return s.List, nil
	}
	if !j.rule.Plain {
		return nil, fmt.Errorf("%w: the rule %q changes its form", handover.ErrPredict, j.rule.Text)
	}
	l, err := s.WithExecute(s.own(), policy.DefaultHash(j.machine.Cmdline))
	if err == nil {
		j.o.Log("the kernel will measure kexec_execute (%s): record %d is appended", j.rule.Text, l.Records())
	}
	return l, err
}
