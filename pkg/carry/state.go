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
	"slices"

	"github.com/imaboot/imaboot/pkg/trusted"
)

// Files under the root that one process leaves for the next.
const (
	runDir    = "run/imaboot"
	stateFile = runDir + "/loaded.json"
)

// A state is what Resume must know of a load. All names in it are absolute.
type state struct {
	Version int     `json:"version"`
	Target  Target  `json:"target"`
	Options Options `json:"options"`
}

const (
	stateVersion = 2
	maxState     = 1 << 21 // a policy's text is in it
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
	s := &state{Version: stateVersion, Target: j.t, Options: j.o}
	if err := s.write(j.o.Root); err != nil {
		return j.drop(refuse(fmt.Errorf("exec could not know what is loaded: %w", badState(err))))
	}
	return nil
}

// write makes names absolute: the next process may have another working
// directory.
func (s *state) write(root string) error {
	s.Target.Initrds = slices.Clone(s.Target.Initrds)
	for _, name := range s.names() {
		if *name == "" {
			continue
		}
		var err error
		if *name, err = filepath.Abs(*name); err != nil {
			return err
		}
	}
	b, err := s.marshal()
	if err != nil {
		return err
	}
	if len(b) >= maxState {
		return fmt.Errorf("it has %d bytes, and %d is the most", len(b), maxState)
	}
	return writeFile(filepath.Join(root, stateFile), append(b, '\n'))
}

// names returns all names of files.
func (s *state) names() []*string {
	names := []*string{&s.Target.Kernel, &s.Target.DeviceTree, &s.Target.Config, &s.Options.Prefix}
	for i := range s.Target.Initrds {
		names = append(names, &s.Target.Initrds[i])
	}
	return names
}

// texts returns all strings that may have any bytes.
func (s *state) texts() []*string {
	return append(s.names(), &s.Target.Cmdline, &s.Options.Policy)
}

// marshal returns JSON in which each byte of a text is the character of that
// number. A string of JSON cannot hold bytes that are not UTF-8.
func (s *state) marshal() ([]byte, error) {
	out := *s
	out.Target.Initrds = slices.Clone(s.Target.Initrds)
	for _, t := range out.texts() {
		characters := make([]rune, 0, len(*t))
		for _, b := range []byte(*t) {
			characters = append(characters, rune(b))
		}
		*t = string(characters)
	}
	return json.Marshal(out)
}

// parseState is the reverse of marshal.
func parseState(b []byte) (*state, error) {
	s := &state{}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, err
	}
	if s.Version != stateVersion {
		return nil, errors.New("it is of another version of imaboot")
	}
	for _, t := range s.texts() {
		var text []byte
		for _, r := range *t {
			if r > 0xff {
				return nil, fmt.Errorf("%q is no byte", r)
			}
			text = append(text, byte(r))
		}
		*t = string(text)
	}
	for _, name := range s.names() {
		if *name != "" && !filepath.IsAbs(*name) {
			return nil, fmt.Errorf("%q is not absolute", *name)
		}
	}
	if s.Target.Kernel == "" {
		return nil, errors.New("it names no kernel")
	}
	return s, s.Options.check()
}

// writeFile replaces a file of runDir as a whole, also if the machine stops
// meanwhile. It opens no file for reading, which IMA would measure. The lock keeps
// other jobs away.
func writeFile(name string, b []byte) error {
	dir, next := filepath.Dir(name), name+".new"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := trusted.CheckDir(dir); err != nil {
		return err
	}
	// What is left of an attempt that ended early may have another mode.
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := writeNew(next, b)
	if err == nil {
		err = os.Rename(next, name)
	}
	if err != nil {
		_ = os.Remove(next)
		return err
	}
	return syncDir(dir)
}

// writeNew writes a file that does not exist, down to the disk.
func writeNew(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Resume returns the job that an earlier process has loaded and kept, with the
// target and the options of that process. Of o it takes Root, Log, Debug and
// Jumping, and Quiesce if it is set. Exec opens the files of the
// target, and loads it again: another tool may have loaded something since.
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
	loaded, loadedErr := j.o.calls.loaded()
	if loadedErr != nil {
		return errors.Join(err, loadedErr)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		j.holds = loaded // by a load that can never be resumed
		return j.drop(err)
	}
	if err != nil || !loaded {
		return fmt.Errorf("%w by imaboot: use imaboot load KERNEL first", errNotLoaded)
	}
	mine, o := s.Options, &j.o
	if o.Quiesce != "" {
		mine.Quiesce = o.Quiesce
	}
	mine.Root, mine.Log, mine.Debug, mine.Jumping, mine.arch, mine.calls = o.Root, o.Log, o.Debug, o.Jumping, o.arch, o.calls
	mine.Memory = o.Memory
	j.o, j.t, j.resumed, j.holds = mine, s.Target, true, true
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
	s, err := parseState(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %s: use imaboot load again", errState, name, err.Error())
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
