// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"

	"github.com/imaboot/imaboot/integration/patches"
)

// A series is the project's patches for one kernel, in their order.
type series struct {
	files []patch
	// key is made of the content; empty without a patch.
	key string
}

type patch struct {
	name string
	data []byte
}

// readSeries reads the series for a package linux-source-VERSION, or the newest
// one if there is none for that kernel.
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
			continue // the cover letter
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

// apply applies the patches to a tree; none of them may need fuzz.
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
