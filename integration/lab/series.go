// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/integration/patches"
)

// A series holds the project's patches for one kernel, in their order.
type series struct {
	files []patch
	// key is derived from the content. It is empty if there is no patch.
	key string
}

type patch struct {
	name string
	data []byte
}

// readSeries reads the series for a package linux-source-VERSION. If there is
// none for that kernel, it reads the newest.
func readSeries(pkg string) (*series, error) {
	dirs, err := fs.ReadDir(patches.Files, ".")
	if err != nil {
		return nil, err
	}
	var dir string
	for _, d := range dirs {
		dir = d.Name()
		if dir == strings.Replace(pkg, "linux-source", "linux", 1) {
			break
		}
	}
	s := &series{}
	names, err := fs.Glob(patches.Files, dir+"/*.patch")
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	for _, name := range names {
		b, err := patches.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(b, []byte("\ndiff --git ")) {
			continue // it is the cover letter
		}
		s.files = append(s.files, patch{name, b})
		sum.Write(b)
	}
	if len(s.files) == 0 {
		return nil, fmt.Errorf("%s holds no patches", dir)
	}
	s.key = hex.EncodeToString(sum.Sum(nil)[:8])
	return s, nil
}

// apply applies the patches to a tree. A patch that needs fuzz is an error.
func (s *series) apply(ctx context.Context, tree string) error {
	for _, p := range s.files {
		cmd := exec.CommandContext(ctx, "patch", "-p1", "-F0", "-s")
		cmd.Dir, cmd.Stdin = tree, bytes.NewReader(p.data)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("patch %s: %w\n%s", p.name, err, tail(string(out), 20))
		}
	}
	return nil
}

// seriesWorlds are the suites whose kernels the project has series for:
// Debian's newest kernel, and that of its stable release.
var seriesWorlds = []world{sourceWorld, {"amd64", "trixie"}}

// CheckSeries applies each series to the files of a fresh linux-source, and
// checks it by the kernel's own rules for patches.
func (l *Lab) CheckSeries(ctx context.Context) error {
	var errs []error
	for _, w := range seriesWorlds {
		if err := l.checkSeries(ctx, w); err != nil {
			errs = append(errs, fmt.Errorf("patches for the linux-source of %s: %w", w.suite, err))
		}
	}
	return errors.Join(errs...)
}

func (l *Lab) checkSeries(ctx context.Context, w world) error {
	a, err := l.world(ctx, w)
	if err != nil {
		return err
	}
	pkg, version, err := a.newest(ctx, "linux-source", `linux-source-[0-9.]+`)
	if err != nil {
		return err
	}
	s, err := readSeries(pkg)
	if err != nil {
		return err
	}
	// Whole trees are large, and only kernels that are built need one.
	tree, err := l.make(filepath.Join("source", pkg+"_"+version+"-files-"+s.key), func(dir string) error {
		l.say("files of %s %s for %d patches", pkg, version, len(s.files))
		return unpackSource(ctx, a, pkg, dir, append(s.touched(), "scripts/checkpatch.pl", "scripts/const_structs.checkpatch", "scripts/spelling.txt")...)
	})
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(l.Dir, "patches-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if _, err := run(ctx, work, "cp", "-a", filepath.Join(tree, pkg), "."); err != nil {
		return err
	}
	if err := s.apply(ctx, filepath.Join(work, pkg)); err != nil {
		return err
	}
	for _, p := range s.files {
		file := filepath.Join(work, filepath.Base(p.name))
		if err := os.WriteFile(file, p.data, 0o644); err != nil {
			return err
		}
		if _, err := run(ctx, filepath.Join(work, pkg), "perl", "scripts/checkpatch.pl", "--strict", "--no-tree", file); err != nil {
			return err
		}
	}
	return nil
}

// touched returns the files that the patches change. It omits files that they
// create, which are not in the tree.
func (s *series) touched() []string {
	var out []string
	for _, p := range s.files {
		for line := range strings.Lines(string(p.data)) {
			name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- a/")
			if ok && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
