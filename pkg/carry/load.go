// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/quiesce"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// loadTries bounds how often a list that has changed is loaded again. The wait
// before each try is twice the one before: 7.75 s in all.
const (
	loadTries = 6
	loadWait  = 250 * time.Millisecond
)

// Load plans and loads until list and PCR have stayed the same from before the
// list was read to after the segments were loaded. If they do not, all other
// processes are stopped meanwhile. After an error nothing is loaded that this
// job or an earlier one has loaded. Load treats signals as Exec does.
func (j *Job) Load(ctx context.Context) (*Result, error) {
	ctx, done := quiesce.Guard(ctx)
	defer done()
	err := guard(func() error {
		if err := j.take(); err != nil {
			return err
		}
		defer j.goOn()
		j.resumed = false
		if err := j.adopt(); err != nil {
			return err
		}
		// Writing back can run helpers that are measured.
		j.o.calls.sync()
		return j.load(ctx, nil)
	})
	if err != nil {
		// A file of the target may also vanish while it is loaded.
		return nil, j.drop(err)
	}
	return j.loaded, nil
}

// adopt says what is loaded already. What an earlier job has loaded is dropped
// if this one fails, because it carries an old list.
func (j *Job) adopt() error {
	if j.holds {
		return nil
	}
	loaded, err := j.o.calls.loaded()
	if err != nil || !loaded {
		return nil // a kernel without kexec refuses the load, and says why
	}
	_, err = os.Lstat(filepath.Join(j.o.Root, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		j.o.Log("another program has loaded something: it will be replaced")
		return nil
	}
	if err != nil {
		return err
	}
	j.o.Log("what imaboot has loaded before will be replaced")
	j.holds = true
	return nil
}

// load calls told, unless it is nil, after each load and before the look that
// follows it.
func (j *Job) load(ctx context.Context, told func(*Result)) error {
	for try := range loadTries {
		if try > 0 {
			if err := j.quiet(ctx); err != nil {
				return err
			}
			pause := loadWait << (try - 1)
			j.o.Log("loading again in %v, %d of %d", pause, try+1, loadTries)
			if err := j.o.calls.wait(ctx, pause); err != nil {
				return err
			}
		}
		same, err := j.loadOnce(ctx, told)
		if err == nil && same {
			return nil
		}
		if err != nil && (refusal.Of(err) != refusal.KeepsGrowing || !j.mayQuiet()) {
			return err
		}
	}
	return fmt.Errorf("%w: it changed %d times while it was loaded: stop what runs beside imaboot", errGrowing, loadTries)
}

// loadOnce loads the list as it is, and reports whether it still is so.
func (j *Job) loadOnce(ctx context.Context, told func(*Result)) (same bool, err error) {
	r, err := j.plan(ctx)
	if err != nil {
		return false, err
	}
	// The note of an earlier load would be about another image.
	if err := removeState(j.o.Root); err != nil {
		return false, err
	}
	if err := j.o.calls.load(r.Plan); err != nil {
		return false, err
	}
	j.loaded, j.holds = r, true
	j.o.Log("loaded")
	if told != nil {
		told(r)
	}
	return j.unchanged(r.Snapshot)
}

// unchanged reports whether the list and the PCR are still those of s.
func (j *Job) unchanged(s *Snapshot) (bool, error) {
	n, err := handover.LiveCount(j.o.Root)
	if err != nil {
		return false, err
	}
	if n != s.Count {
		j.o.Log("the list has changed: %s, %d when it was read", human.Count(n, "records"), s.Count)
		return false, nil
	}
	if s.PCRs == nil {
		return true, nil
	}
	now, err := j.r.readTPM()
	if err != nil {
		return false, err
	}
	if !now.Same(s.PCRs) {
		j.o.Log("a PCR has changed")
		return false, nil
	}
	return true, nil
}

// drop unloads what this job has loaded, so that after an error nothing stays
// that carries an old list.
func (j *Job) drop(err error) error {
	j.loaded = nil
	if !j.holds {
		return err
	}
	dropErr := j.o.calls.unload()
	j.holds = dropErr != nil
	dropErr = errors.Join(dropErr, removeState(j.o.Root))
	switch {
	case err == nil:
		err = dropErr
	case dropErr != nil:
		// The first error keeps its name.
		err = fmt.Errorf("%w\nand what is loaded could not be dropped: %s", err, dropErr.Error())
	}
	return refuse(err)
}

// Unload drops what is loaded, whoever loaded it, unless a job holds the lock.
func Unload(o Options) error {
	o.fill()
	l, err := lock(o.Root)
	if err != nil {
		return refuse(err)
	}
	return refuse(errors.Join(o.calls.unload(), removeState(o.Root), l.close()))
}
