// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/pcr"
)

// A Result holds what the stages of a guest reported, in their order.
type Result struct {
	Stages []*Report
	// TPM is set if QEMU gave the guest a TPM. Its kernels have to find it.
	TPM bool
	// Console is everything else that was printed.
	Console string
}

// A Report holds what one stage reported.
type Report struct {
	Name  string
	Start script.Event
	// Runs are the commands, and Lists the measurement lists, in their
	// order.
	Runs   []script.Event
	Lists  []List
	Others []script.Event
	// Ended is set if the stage did all its steps, and clear if a kexec
	// ended it.
	Ended bool
}

// A List is a measurement list, and the PCRs that were read before it.
type List struct {
	Data []byte
	PCRs []pcr.Value
}

// Check replays the list with the project's own code.
func (l List) Check() (*handover.Report, error) {
	list, err := handover.Parse(l.Data)
	if err != nil {
		return nil, err
	}
	return handover.Check(list, 10, l.PCRs), nil
}

// Stage returns the report of a stage. If there is none, the error names the
// stages that reported.
func (r *Result) Stage(name string) (*Report, error) {
	var names []string
	for _, s := range r.Stages {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("stage %q was not reached, only %q", name, names)
}

// parse parses the marked lines of a console.
func parse(console []byte) (*Result, error) {
	r := &Result{Console: clean(string(console))}
	var data []byte
	var failed error
	for line := range strings.SplitSeq(string(console), "\n") {
		_, text, ok := strings.Cut(line, script.Mark)
		if !ok {
			continue
		}
		var e script.Event
		if err := json.Unmarshal([]byte(strings.TrimRight(text, "\r")), &e); err != nil {
			return r, fmt.Errorf("line %q: %w", text, err)
		}
		if e.Event == "data" {
			if data = append(data, e.Data...); e.Part*len(e.Data) != len(data) {
				return r, fmt.Errorf("stage %s: data before part %d are lost", e.Stage, e.Part)
			}
			continue
		}
		e.Data, data = append(data, e.Data...), nil
		if err := r.add(e); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	if len(r.Stages) == 0 {
		failed = errors.Join(failed, errors.New("nothing was reported"))
	}
	return r, failed
}

func (r *Result) add(e script.Event) error {
	if n := len(r.Stages); n == 0 || r.Stages[n-1].Name != e.Stage {
		r.Stages = append(r.Stages, &Report{Name: e.Stage})
	}
	s := r.Stages[len(r.Stages)-1]
	switch e.Event {
	case "start":
		s.Start = e
	case "run":
		s.Runs = append(s.Runs, e)
	case "list":
		l, err := unpack(e)
		if err != nil {
			return fmt.Errorf("stage %s: list: %w", e.Stage, err)
		}
		s.Lists = append(s.Lists, l)
	case "end":
		s.Ended = true
	case "error":
		return fmt.Errorf("stage %s: %s", e.Stage, e.Text)
	default:
		s.Others = append(s.Others, e)
	}
	return nil
}

func unpack(e script.Event) (List, error) {
	z, err := gzip.NewReader(bytes.NewReader(e.Data))
	if err != nil {
		return List{}, err
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return List{}, err
	}
	l := List{Data: b}
	for _, a := range pcr.Algorithms {
		if value, ok := e.PCRs[string(a)]; ok {
			p, err := pcr.New(string(a), value)
			if err != nil {
				return List{}, err
			}
			l.PCRs = append(l.PCRs, p)
		}
	}
	return l, nil
}

// clean removes the guest's data from a console's output, for people to read.
func clean(console string) string {
	var out []string
	for line := range strings.SplitSeq(strings.ReplaceAll(console, "\r", ""), "\n") {
		if line != "" && !strings.HasPrefix(line, script.Mark) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}
