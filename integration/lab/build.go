// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// module is the import path of this project.
const module = "github.com/imaboot/imaboot"

// guestPrograms are the programs that every guest has.
var guestPrograms = []string{module + "/integration/guest", module + "/cmds/imaboot"}

// guestBinaries builds the programs once in each run of the lab, static and
// stripped as firmware would have them. It returns their paths by name.
func (l *Lab) guestBinaries(ctx context.Context, goarch string) (map[string]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p, ok := l.programs[goarch]; ok {
		return p, nil
	}
	dir, err := os.MkdirTemp(l.Dir, "programs-")
	if err != nil {
		return nil, err
	}
	l.temporary = append(l.temporary, dir)
	out := map[string]string{}
	for _, p := range guestPrograms {
		path := filepath.Join(dir, filepath.Base(p))
		_, err := run(ctx, "", "env", "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+goarch,
			"go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, p)
		if err != nil {
			return nil, err
		}
		out[filepath.Base(p)] = path
	}
	l.programs[goarch] = out
	return out, nil
}

// sourceDir returns the top directory of this project.
func sourceDir(ctx context.Context) (string, error) {
	dir, err := run(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}", module)
	return strings.TrimSpace(dir), err
}

// Template builds an initramfs from one of templates/, with further files (path
// there to path here). If name is "", it contains u-root's core commands, but
// not imaboot.
func (l *Lab) Template(ctx context.Context, name, goarch, out string, files map[string]string) error {
	dir, err := sourceDir(ctx)
	if err != nil {
		return err
	}
	// The tool runs on the host; what it builds runs in the guest.
	tool := filepath.Join(filepath.Dir(out), "mkuimage")
	if _, err := run(ctx, dir, "go", "build", "-o", tool, "github.com/u-root/mkuimage/cmd/mkuimage"); err != nil {
		return err
	}
	args := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + goarch, tool, "-o", out}
	for to, from := range files {
		args = append(args, "-files", from+":"+strings.TrimPrefix(to, "/"))
	}
	if name == "" {
		args = append(args, "github.com/u-root/u-root/cmds/core/*")
	} else {
		args = append(args, "-config-file", "templates/"+name+".yaml", "-config", name)
	}
	_, err = run(ctx, dir, "env", args...)
	return err
}
