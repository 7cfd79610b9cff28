// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package entry

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

const (
	// maxLinks is the number of links that the kernel follows in one path.
	maxLinks = 40
	// maxParts bounds the parts of a path and all its links. A script may
	// name such a path thousands of times.
	maxParts = 256
)

// Resolve follows all links in a name as if the volume were the root file
// system, because a loader knows no other. It returns a path from the volume's
// root, without links and without a leading slash. The path never leaves the
// volume. The error wraps ErrConfig.
func (v *Volume) Resolve(name string) (string, error) {
	w, err := v.walk(name)
	if err != nil {
		return "", err
	}
	defer w.close()
	return w.path(), nil
}

// Walked returns the number of path parts that were followed on this volume.
// Each part takes a few system calls, so a caller that lets scripts name files
// can charge the scripts for them.
func (v *Volume) Walked() int { return int(v.walked.Load()) }

// A walker follows a path. It keeps a directory open for each part, so that no
// step starts at the root again.
type walker struct {
	v     *Volume
	dirs  []*os.Root // open directories below the volume's root
	parts []string   // the names of dirs
	base  string     // name in the last directory; "." means that directory itself
	info  fs.FileInfo
}

// walk follows a name to an existing file. The caller must close the walker.
func (v *Volume) walk(name string) (*walker, error) {
	w := &walker{v: v, base: "."}
	if err := w.follow(split(name)); err != nil {
		w.close()
		return nil, v.wrap(name, err)
	}
	return w, nil
}

func (w *walker) follow(rest []string) error {
	for links, parts := 0, 0; len(rest) > 0; {
		if parts++; parts > maxParts {
			return errTooManyParts
		}
		if err := w.v.Err(); err != nil {
			return err
		}
		w.v.walked.Add(1)
		part := rest[0]
		rest = rest[1:]
		if part == ".." {
			w.up(1)
			continue
		}
		if err := w.look(part); err != nil {
			return err
		}
		if w.info.Mode()&fs.ModeSymlink != 0 {
			if links++; links > maxLinks {
				return errTooManyLinks
			}
			to, err := w.dir().Readlink(part)
			if err != nil {
				return err
			}
			if path.IsAbs(to) {
				w.up(len(w.dirs))
			}
			if rest = slices.Concat(split(to), rest); len(rest) > 0 {
				continue
			}
			break
		}
		if len(rest) == 0 {
			return nil
		}
		if err := w.down(part); err != nil {
			return err
		}
	}
	return w.look(".") // the path ends in .. or in a link to the root
}

// dir returns the directory that was reached.
func (w *walker) dir() *os.Root {
	if len(w.dirs) == 0 {
		return w.v.root
	}
	return w.dirs[len(w.dirs)-1]
}

func (w *walker) look(base string) (err error) {
	w.base = base
	w.info, err = w.dir().Lstat(base)
	return err
}

func (w *walker) down(part string) error {
	if !w.info.IsDir() {
		return syscall.ENOTDIR
	}
	dir, err := w.dir().OpenRoot(part)
	if err != nil {
		return err
	}
	w.dirs, w.parts = append(w.dirs, dir), append(w.parts, part)
	return nil
}

// up leaves n directories, but never the volume's root.
func (w *walker) up(n int) {
	left := max(0, len(w.dirs)-n)
	for _, dir := range w.dirs[left:] {
		dir.Close()
	}
	w.dirs, w.parts = w.dirs[:left], w.parts[:left]
}

func (w *walker) close() { w.up(len(w.dirs)) }

func (w *walker) path() string { return path.Join(path.Join(w.parts...), w.base) }

func (w *walker) open() (*os.File, error) { return w.dir().Open(w.base) }

var (
	errTooManyParts = errors.New("too many parts")
	errTooManyLinks = errors.New("too many links")
)

func split(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(s string) bool { return s == "" || s == "." })
}
