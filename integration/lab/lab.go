// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package lab prepares what guest tests need, on a fresh Debian: packages,
// kernels of other architectures, own kernels, TPMs, and initramfs.
//
// The lab makes each thing once, and keeps it in the user's cache directory under
// a name that depends on what it was made from.
package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Variable in the environment asks for guests in the tests of package
// integration: Gate for those that gate a change, which have FewKernels, Whole
// for all. Without it these tests do not run, since guests need QEMU and kernels
// that take long to build.
const (
	Variable = "IMABOOT_LAB"
	Gate     = "gate"
	Whole    = "require"
)

// A Lab is a cache, and a writer for progress.
type Lab struct {
	// Dir is the cache.
	Dir   string
	out   io.Writer
	start time.Time

	mu       sync.Mutex
	worlds   map[world]*apt
	programs map[string]map[string]string // by GOARCH, then name
	// temporary are directories that Close removes.
	temporary []string
}

// New opens the cache. The lab reports on out what it does.
func New(out io.Writer) (*Lab, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("the lab needs a cache directory: %w", err)
	}
	l := &Lab{Dir: filepath.Join(cache, "imaboot", "lab"), out: out, start: time.Now(), worlds: map[world]*apt{}, programs: map[string]map[string]string{}}
	return l, os.MkdirAll(l.Dir, 0o755)
}

// Close removes the lab's temporary files.
func (l *Lab) Close() error {
	var err error
	for _, dir := range l.temporary {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// say prints a line of progress.
func (l *Lab) say(format string, args ...any) {
	fmt.Fprintf(l.out, "lab: %5.0fs %s\n", time.Since(l.start).Seconds(), fmt.Sprintf(format, args...))
}

// make returns the path of a thing in the cache. If the thing is missing, f makes
// it in a new directory. Labs that run at the same time wait for each other.
func (l *Lab) make(name string, f func(dir string) error) (string, error) {
	path := filepath.Join(l.Dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := f(tmp); err != nil {
		return "", err
	}
	return path, os.Rename(tmp, path)
}

// run runs a command on the host. The error, if any, shows what it printed.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var stdout, both bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&stdout, &both), &both
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(both.String(), 30))
	}
	return stdout.String(), nil
}

// tail is the last n lines of s.
func tail(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
