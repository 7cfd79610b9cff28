// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

const lockFile = runDir + "/lock"

// A jobLock keeps a second job away, in this process and in others.
type jobLock struct {
	name string
	file *os.File
}

// held are the locks of this process, by name. A kernel without
// CONFIG_FILE_LOCKING knows of no others.
var held sync.Map

// lock takes the lock under a root. The kernel gives it back when the process
// ends, however it ends.
func lock(root string) (*jobLock, error) {
	l := &jobLock{name: filepath.Join(root, lockFile)}
	if err := os.MkdirAll(filepath.Dir(l.name), 0o700); err != nil {
		return nil, lockError(err)
	}
	busy := fmt.Errorf("%w: %s is locked: let the other end, or end it", errJob, l.name)
	if _, taken := held.LoadOrStore(l.name, true); taken {
		return nil, busy
	}
	// Not for reading: that IMA would measure.
	var err error
	if l.file, err = os.OpenFile(l.name, os.O_WRONLY|os.O_CREATE|unix.O_NOFOLLOW, 0o600); err != nil {
		return nil, errors.Join(lockError(err), l.close())
	}
	switch err := unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, errors.Join(busy, l.close())
	case err != nil && !errors.Is(err, unix.ENOSYS):
		return nil, errors.Join(fmt.Errorf("%s: %w", l.name, err), l.close())
	}
	return l, nil
}

// lockError says what it means that the lock's file cannot be made.
func lockError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: run as root: %w", errNotRoot, err)
	}
	return err
}

// close gives the lock back. A nil lock is no lock.
func (l *jobLock) close() error {
	if l == nil {
		return nil
	}
	held.Delete(l.name)
	if l.file == nil {
		return nil
	}
	// Until it runs a program, a child that was just started has the file, too.
	unlockErr := unix.Flock(int(l.file.Fd()), unix.LOCK_UN)
	if errors.Is(unlockErr, unix.ENOSYS) {
		unlockErr = nil
	}
	return errors.Join(unlockErr, l.file.Close())
}
