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

	"golang.org/x/sys/unix"

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

// Keep writes a note of what Load has loaded, so that Resume finds it in another
// process. If it cannot be written, what is loaded is dropped.
func (j *Job) Keep() error {
	if j.closed {
		return refuse(errClosed)
	}
	if j.loaded == nil {
		return refuse(errNotLoaded)
	}
	s := &state{
		Version: stateVersion, Target: j.t, Options: j.o, Digest: j.loaded.Snapshot.SHA256(),
		By: j.loaded.By, Why: j.loaded.Why, KexecRule: ruleText(j.rule),
	}
	if err := s.write(j.o.Root); err != nil {
		return j.drop(refuse(fmt.Errorf("exec could not know what is loaded: %w", badState(err))))
	}
	return nil
}

func (s *state) write(root string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if len(b) >= maxState {
		return fmt.Errorf("it has %d bytes, and %d is the most", len(b), maxState)
	}
	return writeFile(filepath.Join(root, stateFile), append(b, '\n'))
}

// writeFile replaces a file of runDir as a whole. It opens nothing for reading,
// which IMA would measure. The lock keeps other jobs away.
func writeFile(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	if err := trusted.CheckDir(filepath.Dir(name)); err != nil {
		return err
	}
	next := name + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(next, name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return nil
}

// Resume returns the job that an earlier process has loaded and kept, with the
// target and the options of that process. Of o it takes Root, Log, Debug and
// Jumping. The files of the target are opened only if Exec has to load it again.
func Resume(o Options) (*Job, error) {
	j, err := newJob(Target{}, o)
	if err != nil {
		return nil, refuse(err)
	}
	if err := guard(j.find); err != nil {
		_ = j.Close()
		return nil, err
	}
	return j, nil
}

// find reads the note of what is loaded. Nobody can load anything else
// meanwhile.
func (j *Job) find() error {
	if err := j.take(); err != nil {
		return err
	}
	s, err := readState(j.o.Root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	loaded, loadedErr := j.o.calls.loaded()
	if loadedErr != nil {
		return loadedErr
	}
	if err != nil || !loaded {
		return fmt.Errorf("%w by imaboot: use imaboot load KERNEL first", errNotLoaded)
	}
	mine := s.Options
	if err := mine.check(); err != nil {
		return fmt.Errorf("%w: %s", errState, err.Error())
	}
	o := &j.o
	mine.Root, mine.Log, mine.Debug, mine.Jumping, mine.arch, mine.calls = o.Root, o.Log, o.Debug, o.Jumping, o.arch, o.calls
	mine.Memory = o.Memory
	j.o, j.t, j.kept, j.holds = mine, s.Target, s, true
	return nil
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
