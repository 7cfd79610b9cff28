// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/cpio"

	"github.com/imaboot/imaboot/integration/script"
)

// Where a stage finds the kernel and initrd of the next one.
const (
	NextKernel = "/next/kernel"
	NextInitrd = "/next/initrd"
)

// A Stage is one kernel of a guest's chain.
type Stage struct {
	// Kernel is the path of the kernel on the host.
	Kernel string
	script.Stage
	// Files are copied from the host into the initramfs: path there to path
	// here.
	Files map[string]string
	// Pack names the compression of the initramfs; "" means none.
	Pack string
}

// image writes the initramfs of the first stage to dir. Each initramfs holds
// the kernel and the initramfs of the next stage.
func image(ctx context.Context, dir string, programs map[string]string, stages []Stage) (string, error) {
	var next string
	for i, s := range slices.Backward(stages) {
		files := map[string]string{"/init": programs["guest"], "/bin/imaboot": programs["imaboot"]}
		maps.Copy(files, s.Files)
		if next != "" {
			files[NextKernel], files[NextInitrd] = stages[i+1].Kernel, next
		}
		text, err := json.Marshal(s.Stage)
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, fmt.Sprintf("initramfs%d.cpio", i+1))
		if err := writeArchive(path, files, map[string]string{script.Path: string(text)}); err != nil {
			return "", err
		}
		if s.Pack != "" {
			if path, err = pack(ctx, path, s.Pack); err != nil {
				return "", err
			}
		}
		next = path
	}
	return next, nil
}

// writeArchive writes an uncompressed initramfs that consists of files of the
// host, texts, and the directories for them.
func writeArchive(path string, files, texts map[string]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := cpio.Newc.Writer(f)
	dirs := map[string]bool{}
	add := func(name string, r cpio.Record) error {
		var missing []string
		for d := filepath.Dir(name); d != "." && !dirs[d]; d = filepath.Dir(d) {
			dirs[d] = true
			missing = append(missing, d)
		}
		for _, d := range slices.Backward(missing) {
			if err := w.WriteRecord(cpio.Directory(d, 0o755)); err != nil {
				return err
			}
		}
		return w.WriteRecord(r)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b, err := os.ReadFile(files[name])
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(name, "/")
		if err := add(rel, cpio.StaticFile(rel, string(b), 0o755)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		rel := strings.TrimPrefix(name, "/")
		if err := add(rel, cpio.StaticFile(rel, texts[name], 0o644)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	// The kernel opens this device before init runs.
	if err := add("dev/console", cpio.CharDev("dev/console", 0o600, 5, 1)); err != nil {
		return err
	}
	if err := cpio.WriteTrailer(w); err != nil {
		return err
	}
	return f.Close()
}
