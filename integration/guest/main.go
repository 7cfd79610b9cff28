// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// guest is the init of test guests. It executes a script, reports each step on
// the console, and powers off.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/handover"
)

// part is the number of data bytes in one line of the console.
const part = 150

type guest struct {
	mu         sync.Mutex
	stage      script.Stage
	background sync.WaitGroup
	stop       atomic.Bool
	// said holds the steps that wait for a text.
	said []*saying
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == besideArg {
		fmt.Println(measureBeside(os.Args[2], os.Args[3]))
		os.Exit(1)
	}
	g := &guest{}
	if err := g.run(); err != nil {
		g.emit(script.Event{Event: "error", Text: err.Error()})
	}
	g.emit(script.Event{Event: "end"})
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// emit prints an event after the parts of its data. If that fails, it prints
// the error, and the host notices that the event is missing.
func (g *guest) emit(e script.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.Stage = g.stage.Name
	var failed error
	data := e.Data
	for n := 1; len(data) > part; n++ {
		failed = errors.Join(failed, line(script.Event{Stage: e.Stage, Event: "data", Part: n, Data: data[:part]}))
		data = data[part:]
	}
	e.Data = data
	if failed = errors.Join(failed, line(e)); failed != nil {
		fmt.Println(failed)
	}
}

func (g *guest) run() error {
	for _, m := range []struct{ fstype, dir string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"securityfs", "/sys/kernel/security"},
	} {
		if err := mount(m.fstype, m.dir); err != nil {
			return err
		}
	}
	b, err := os.ReadFile(script.Path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &g.stage); err != nil {
		return fmt.Errorf("%s: %w", script.Path, err)
	}
	version, err := os.ReadFile("/proc/version")
	if err != nil {
		return err
	}
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	_, noTPM := os.Stat("/sys/class/tpm/tpm0")
	g.emit(script.Event{
		Event: "start", TPM: noTPM == nil, Kernel: strings.TrimSpace(string(version)), PageSize: os.Getpagesize(),
		CPUs: runtime.NumCPU(), Cmdline: strings.TrimSpace(string(cmdline)),
	})
	for i, s := range g.stage.Steps {
		if err := g.step(&s); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	g.background.Wait()
	return nil
}

func (g *guest) step(s *script.Step) error {
	switch {
	case s.On != nil:
		return g.await(s)
	case len(s.Run) > 0:
		return g.command(s)
	case s.List:
		return g.list(s)
	case s.Measure > 0 && s.Background:
		g.background.Go(func() {
			if err := g.measure(s); err != nil {
				g.emit(script.Event{Event: "error", Text: err.Error()})
			}
		})
		return nil
	case s.Measure > 0:
		return g.measure(s)
	case s.Stop:
		g.stop.Store(true)
		g.background.Wait()
		g.stop.Store(false)
		return nil
	case s.Extend != "":
		if err := extend(s.PCR, s.Extend); err != nil {
			return err
		}
		g.emit(script.Event{Event: "extended"})
		return nil
	case s.Write != "":
		if err := os.MkdirAll(filepath.Dir(s.Write), 0o755); err != nil {
			return err
		}
		return os.WriteFile(s.Write, []byte(s.Content), 0o644)
	case s.Cut != "":
		return cutList(s.Cut, s.Records)
	case s.Change != "":
		return changeLast(s.Change)
	case s.Copy != "":
		b, err := os.ReadFile(s.Copy)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(s.To), 0o755); err != nil {
			return err
		}
		return os.WriteFile(s.To, b, 0o644)
	case s.Remove != "":
		return os.RemoveAll(s.Remove)
	case s.Read != "":
		return g.read(s.Read)
	case s.Swap != "":
		return g.swap(s.Swap)
	case s.Mount != "":
		return mount(s.Mount, s.At)
	case s.KexecFile != nil:
		return kexecFile(s.KexecFile)
	case s.Restore != nil:
		return g.restoreNext(s.Restore)
	case s.Jumps != nil:
		return g.jumpOn(s.Jumps)
	case s.Capture:
		return g.capture()
	}
	return fmt.Errorf("nothing to do in %+v", s)
}

func (g *guest) command(s *script.Step) error {
	cmd := exec.Command(s.Run[0], s.Run[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if s.Show {
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	}
	if len(g.said) > 0 {
		cmd.Stderr = &listener{Writer: cmd.Stderr, g: g}
	}
	start := time.Now()
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return err
	}
	g.emit(script.Event{
		Event: "run", Argv: s.Run, Exit: cmd.ProcessState.ExitCode(), Stderr: stderr.String(),
		Data: stdout.Bytes(), Seconds: time.Since(start).Seconds(),
	})
	return nil
}

func (g *guest) read(path string) error {
	e := script.Event{Event: "read", Path: path}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		g.emit(e)
		return nil
	}
	if err != nil {
		return err
	}
	e.Mode = info.Mode().String()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		e.Owner = fmt.Sprintf("%d:%d", st.Uid, st.Gid)
	}
	if info.Mode().IsRegular() {
		if e.Data, err = os.ReadFile(path); err != nil {
			return err
		}
	}
	g.emit(e)
	return nil
}

func mount(fstype, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(fstype, dir, fstype, 0, ""); err != nil && err != unix.EBUSY {
		return fmt.Errorf("mount %s on %s: %w", fstype, dir, err)
	}
	return nil
}

// list reads the PCRs and then the list, in the same order as imaboot, and
// reports them.
func (g *guest) list(s *script.Step) error {
	pcrs := map[string]string{}
	paths, err := filepath.Glob("/sys/class/tpm/tpm0/pcr-*/10")
	if err != nil {
		return err
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "pcr-")
		pcrs[name] = strings.TrimSpace(string(b))
	}
	name := "/sys/kernel/security/integrity/ima/binary_runtime_measurements"
	if s.From != "" {
		name = s.From
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(b); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	g.emit(script.Event{Event: "list", PCRs: pcrs, Data: packed.Bytes()})
	return nil
}

// cutList keeps the first n records of a file with a list.
func cutList(name string, n int) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	l, err := handover.Parse(b)
	if err != nil {
		return err
	}
	for r := range l.All {
		if r.Number == n+1 {
			return os.Truncate(name, int64(r.Offset))
		}
	}
	return fmt.Errorf("%s has no %d records", name, n+1)
}
