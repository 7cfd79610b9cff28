// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/imaboot/imaboot/pkg/trusted"
)

// Files under the root that one process leaves for the next.
const (
	runDir    = "run/imaboot"
	stateFile = runDir + "/loaded.json"
)

// A state is what Resume must know of a load.
type state struct {
	Version int     `json:"version"`
	Target  Target  `json:"target"`
	Options Options `json:"options"`
	// Digest is that of the list that was loaded.
	Digest string  `json:"digest"`
	By     Carrier `json:"carrier"`
	Why    string  `json:"why"`
	// KexecRule is the rule by which the kernel will measure the jump.
	KexecRule string `json:"kexec_rule,omitempty"`
}

const (
	stateVersion = 1
	maxState     = 1 << 20 // a policy's text is in it
)

// Keep writes down what Load has loaded, so that Resume finds it in another
// process. Without that note nothing must stay loaded: after an error nothing
// is.
func (j *Job) Keep() error {
	if j.loaded == nil {
		return refuse(errNotLoaded)
	}
	s := &state{
		Version: stateVersion, Target: j.t, Options: j.o, Digest: j.loaded.Snapshot.SHA256(),
		By: j.loaded.By, Why: j.loaded.Why, KexecRule: ruleText(j.rule),
	}
	if err := s.write(j.o.Root); err != nil {
		return j.drop(fmt.Errorf("exec could not know what is loaded: %w", err))
	}
	return nil
}

func (s *state) write(root string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(root, stateFile), append(b, '\n'))
}

// writeFile replaces a file of runDir as a whole.
func writeFile(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	if err := trusted.CheckDir(filepath.Dir(name)); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Resume returns the job that an earlier process has loaded and kept, with its
// target and options; o says where, and who is told. Its files are opened only
// if Exec has to load it again.
func Resume(o Options) (*Job, error) {
	o.fill()
	s, err := readState(o.Root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(err)
	}
	loaded, loadedErr := o.calls.loaded()
	if loadedErr != nil {
		return nil, refuse(loadedErr)
	}
	if err != nil || !loaded {
		return nil, refuse(fmt.Errorf("%w by imaboot: use imaboot load KERNEL first", errNotLoaded))
	}
	mine := s.Options
	mine.Root, mine.Log, mine.Debug, mine.Jumping, mine.arch, mine.calls = o.Root, o.Log, o.Debug, o.Jumping, o.arch, o.calls
	j, err := newJob(s.Target, mine)
	if err != nil {
		return nil, refuse(err)
	}
	j.kept, j.holds = s, true
	return j, nil
}

func readState(root string) (*state, error) {
	name := filepath.Join(root, stateFile)
	if err := trusted.CheckDir(filepath.Dir(name)); err != nil {
		return nil, badState(err)
	}
	b, err := trusted.ReadFile(name, maxState)
	if err != nil {
		return nil, badState(err)
	}
	s := &state{}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%w: %s: %w: use imaboot load again", errState, name, err)
	}
	if s.Version != stateVersion || s.Target.Kernel == "" || s.Digest == "" {
		return nil, fmt.Errorf("%w: %s is damaged, or of another version of imaboot: use imaboot load again", errState, name)
	}
	return s, nil
}

// badState says of a file that cannot be trusted what that means here.
func badState(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: %w", errState, err)
}

func removeState(root string) error {
	if err := os.Remove(filepath.Join(root, stateFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
