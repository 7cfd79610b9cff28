// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-tpm/tpm2/transport"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/eventlog"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/tpm"
	"github.com/imaboot/imaboot/pkg/trusted"
)

// extendedFile is the event log of a jump from here that failed when PCRs were
// extended: the next try goes on from it.
const extendedFile = runDir + "/eventlog.extended"

// A measurement is what --measure extends at the jump.
type measurement struct {
	base     *eventlog.Log
	events   []eventlog.Event
	extended bool
}

// log is what the next stage gets: also of what is not extended yet.
func (m *measurement) log() *eventlog.Log { return m.base.With(m.events...) }

// measure makes the events of the target's files and command line. Nothing is
// extended yet: only a jump that will happen is to leave a trace. Without
// --measure a log that was handed to this stage is handed on.
func (j *Job) measure() error {
	given, givenErr := j.r.handedLog()
	if !j.o.Measure {
		j.events = given.data
		if givenErr != nil {
			j.o.Log("the event log is not handed on: %v", givenErr)
		}
		return nil
	}
	dev, err := j.o.calls.openTPM()
	if err != nil {
		return err
	}
	defer dev.Close()
	if givenErr != nil {
		return givenErr
	}
	m := &measurement{}
	if m.base, err = given.log(j.o.Root, dev); err != nil {
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
	j.measurement, j.events = m, m.log().Bytes()
	if n := len(j.events); n > handover.MaxEventLog {
		return fmt.Errorf("%w: it would have %d bytes, and %d is the most", errNoEventLog, n, handover.MaxEventLog)
	}
	j.o.Log("event log: %s, and %d that will be extended at the jump", human.Count(len(m.base.Events), "events"), len(m.events))
	return nil
}

// A handed log is what this stage was given, nil without one, and where it is
// from.
type handed struct {
	data []byte
	from string
	// extended: it is of a jump from here that failed, and its end may not
	// have been extended.
	extended bool
}

// log is the log of what PCRs hold now. Where nobody has extended those of
// loaders it is empty.
func (h handed) log(root string, dev transport.TPM) (*eventlog.Log, error) {
	if h.data == nil {
		empty, err := emptyLog(dev)
		if err != nil {
			return nil, err
		}
		if err := explained(dev, empty); err == nil || !errors.Is(err, errUnexplained) {
			return empty, err
		}
		chip, err := tpm.Find(root)
		if err != nil {
			return nil, err
		}
		h.from = chip.FirmwareLog()
		if h.data, err = os.ReadFile(h.from); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: PCR %d or %d was extended before, and there is no %s", errUnexplained, eventlog.StringPCR, eventlog.FilePCR, h.from)
		}
		if err != nil {
			return nil, err
		}
	}
	l, err := eventlog.Parse(h.data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.from, err)
	}
	if h.extended {
		return longest(dev, l)
	}
	return l, nil
}

func emptyLog(dev transport.TPM) (*eventlog.Log, error) {
	strings, err := tpm.Banks(dev, eventlog.StringPCR)
	if err != nil {
		return nil, err
	}
	files, err := tpm.Banks(dev, eventlog.FilePCR)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(strings, files) {
		return nil, fmt.Errorf("%w: PCR %d has the banks %v, and PCR %d %v", tpm.ErrExtend, eventlog.StringPCR, strings, eventlog.FilePCR, files)
	}
	return eventlog.New(files), nil
}

// longest returns how much of a log was extended: the log was written before, and
// any number of its last events may have failed. A log that explains nothing is
// returned whole.
func longest(dev transport.TPM, l *eventlog.Log) (*eventlog.Log, error) {
	now, err := loaderPCRs(dev)
	if err != nil {
		return nil, err
	}
	n, err := l.Extended(now)
	if err != nil || n < 0 {
		return l, err
	}
	return l.First(n), nil
}

// handedLog is the log of a jump from here that failed, or else what an
// earlier stage sent.
func (r *reader) handedLog() (handed, error) {
	name := filepath.Join(r.o.Root, extendedFile)
	b, err := readExtended(name)
	if err == nil {
		return handed{b, name, true}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return handed{}, fmt.Errorf("%s: %w: %w", name, eventlog.ErrDamaged, err)
	}
	carried, err := r.carried()
	if err != nil || carried == nil {
		return handed{}, err
	}
	return handed{data: carried.EventLog, from: filepath.Join(carried.Dir, handover.EventFile)}, carried.EventErr
}

func readExtended(name string) ([]byte, error) {
	if err := trusted.CheckDir(filepath.Dir(name)); err != nil {
		return nil, err
	}
	return trusted.ReadFile(name, handover.MaxEventLog)
}

// A Register is the value of PCR 8 or 9 in one bank, beside its replay.
type Register struct {
	PCR       int           `json:"pcr"`
	Algorithm pcr.Algorithm `json:"algorithm"`
	Match     bool          `json:"match"`
	Value     string        `json:"value"`
	Replayed  string        `json:"replayed"`
}

// loaderPCRs reads the PCRs that loaders extend.
func loaderPCRs(dev transport.TPM) ([]eventlog.Register, error) {
	var out []eventlog.Register
	for _, index := range []int{eventlog.StringPCR, eventlog.FilePCR} {
		r, err := tpm.ReadDevice(dev, index)
		if err != nil {
			return nil, err
		}
		if len(r.Unknown) > 0 {
			return nil, fmt.Errorf("%w: the TPM has banks that cannot be replayed here: %v", errUnexplained, r.Unknown)
		}
		for _, p := range r.PCRs {
			out = append(out, eventlog.Register{PCR: index, Value: p})
		}
	}
	return out, nil
}

// registers compares a log with the TPM.
func registers(dev transport.TPM, l *eventlog.Log) ([]Register, error) {
	now, err := loaderPCRs(dev)
	if err != nil {
		return nil, err
	}
	var out []Register
	for _, p := range now {
		want, err := l.Replay(p.PCR, p.Algorithm, len(l.Events))
		if err != nil {
			return nil, err
		}
		out = append(out, Register{p.PCR, p.Algorithm, bytes.Equal(want, p.Value.Value), fmt.Sprintf("%x", p.Value.Value), fmt.Sprintf("%x", want)})
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

func firstMismatch(all []Register) error {
	i := slices.IndexFunc(all, func(r Register) bool { return !r.Match })
	if i < 0 {
		return nil
	}
	return fmt.Errorf("%w %d: %s is %s, but %s is replayed", errUnexplained, all[i].PCR, all[i].Algorithm, all[i].Value, all[i].Replayed)
}

// extend extends what --measure asks for, once, and sees that it is there. The
// log is kept before: whatever fails afterwards, and however, what was
// extended can still be explained.
func (j *Job) extend() error {
	m := j.measurement
	if m == nil {
		return nil
	}
	dev, err := j.o.calls.openTPM()
	if err != nil {
		return err
	}
	defer dev.Close()
	if m.extended {
		return explained(dev, m.log())
	}
	if err := explained(dev, m.base); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(j.o.Root, extendedFile), j.events); err != nil {
		return err
	}
	for _, e := range m.events {
		if err := tpm.Extend(dev, e.PCR, e.Values()); err != nil {
			return err
		}
	}
	m.extended = true
	j.o.Log("extended %s", human.Count(len(m.events), "events"))
	return explained(dev, m.log())
}
