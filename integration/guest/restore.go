// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/u-root/u-root/pkg/cpio"

	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/handover"
	"github.com/imaboot/imaboot/pkg/kexec"
)

// restoreParam is a parameter of the command line. It says which list this
// kernel was given.
const restoreParam = "restored="

// restoreNext reports what the kernel made of the list that it was given, and
// gives the next list to the next kernel, even if imaboot would refuse it. The
// files in the directory are lists, named NUMBER-COUNT.
func (g *guest) restoreNext(r *script.Restore) error {
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	given, err := numberIn(string(cmdline), restoreParam)
	if err != nil {
		return err
	}
	if given > 0 {
		if err := g.reportRestored(r.Dir, given); err != nil {
			return err
		}
	}
	next, count, err := numbered(r.Dir, given+1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return jump(r, next, count, fmt.Sprintf("%s %s%d", r.Cmdline, restoreParam, given+1))
}

// numberIn returns the number behind a parameter of a command line, and 0 without
// the parameter.
func numberIn(cmdline, param string) (int, error) {
	for word := range strings.FieldsSeq(cmdline) {
		if n, ok := strings.CutPrefix(word, param); ok {
			return strconv.Atoi(n)
		}
	}
	return 0, nil
}

func numbered(dir string, n int) (list []byte, count uint64, err error) {
	names, err := filepath.Glob(filepath.Join(dir, fmt.Sprintf("%d-*", n)))
	if err != nil {
		return nil, 0, err
	}
	if len(names) != 1 {
		return nil, 0, fs.ErrNotExist
	}
	_, text, _ := strings.Cut(filepath.Base(names[0]), "-")
	if count, err = strconv.ParseUint(text, 10, 64); err != nil {
		return nil, 0, err
	}
	list, err = os.ReadFile(names[0])
	return list, count, err
}

// reportRestored reports whether the list is whole: the kernel's list begins
// with what the kernel was given, and its own boot_aggregate follows.
func (g *guest) reportRestored(dir string, n int) error {
	given, _, err := numbered(dir, n)
	if err != nil {
		return err
	}
	got, err := os.ReadFile("/sys/kernel/security/integrity/ima/binary_runtime_measurements")
	if err != nil {
		return err
	}
	e := script.Event{Event: "restored", Count: n}
	if rest, ok := bytes.CutPrefix(got, given); ok {
		if l, err := handover.Parse(rest); err == nil && l.Records() > 0 && !l.Trimmed() {
			e.Whole = true
		}
	}
	g.emit(e)
	return nil
}

func jump(r *script.Restore, list []byte, count uint64, cmdline string) error {
	arch, err := archdesc.ByName(runtime.GOARCH)
	if err != nil {
		return err
	}
	m, err := archdesc.ReadMachine("/", runtime.GOARCH, os.Getpagesize())
	if err != nil {
		return err
	}
	kernel, err := os.ReadFile(r.Kernel)
	if err != nil {
		return err
	}
	initrd, err := again()
	if err != nil {
		return err
	}
	order := arch.ListOrder(cmdline)
	buffer := make([]byte, handover.HeaderSize, handover.HeaderSize+len(list))
	order.PutUint16(buffer, 1)
	order.PutUint64(buffer[8:], uint64(handover.HeaderSize+len(list)))
	order.PutUint64(buffer[16:], count)
	p, err := arch.Plan(m, &archdesc.Target{Kernel: kernel, Initrd: initrd, Cmdline: cmdline}, &archdesc.List{Buffer: append(buffer, list...)})
	if err != nil {
		return err
	}
	if err := kexec.LoadPlan(p); err != nil {
		return err
	}
	return kexec.Exec()
}

// own are directories that the initramfs of the next kernel must not have.
var own = []string{"/proc", "/sys", "/dev", "/run", "/imaboot", script.MeasuredDir}

// again makes an archive of the running initramfs.
func again() ([]byte, error) {
	var b bytes.Buffer
	w := cpio.Newc.Writer(&b)
	recorder := cpio.NewRecorder()
	err := filepath.WalkDir("/", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains(own, path) {
			return fs.SkipDir
		}
		if path == "/" {
			return nil
		}
		rec, err := recorder.GetRecord(path)
		if err != nil {
			return err
		}
		rec.Name = strings.TrimPrefix(path, "/")
		return w.WriteRecord(rec)
	})
	if err == nil {
		err = w.WriteRecord(cpio.Directory("dev", 0o755))
	}
	if err == nil {
		err = w.WriteRecord(cpio.CharDev("dev/console", 0o600, 5, 1))
	}
	if err == nil {
		err = cpio.WriteTrailer(w)
	}
	return b.Bytes(), err
}
