// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/handover"
)

const (
	// jumpParam is a parameter of the command line. It says how many jumps
	// led to this kernel.
	jumpParam = "jumps="
	// besideArg makes this program a process that measures beside imaboot.
	besideArg = "measure-beside"
)

// jumpOn checks the list that arrived, and jumps to the next kernel while another
// process measures. The last kernel reports the whole list.
func (g *guest) jumpOn(j *script.Jumps) error {
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	n, err := numberIn(string(cmdline), jumpParam)
	if err != nil {
		return err
	}
	if err := g.command(&script.Step{Run: append([]string{"/bin/imaboot", "verify"}, j.Verify...)}); err != nil {
		return err
	}
	g.emit(script.Event{Event: "jumped", Count: n})
	if n == j.Count {
		return g.list(&script.Step{})
	}
	// Not in a place that goes into the archive.
	initrd := filepath.Join(script.MeasuredDir, "initrd")
	archive, err := again()
	if err != nil {
		return err
	}
	dir := filepath.Join(script.MeasuredDir, strconv.Itoa(n))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(initrd, archive, 0o644); err != nil {
		return err
	}
	beside, err := startBeside(dir, j.DelayMS)
	if err != nil {
		return err
	}
	defer func() {
		_ = beside.Process.Kill()
		_ = beside.Wait()
	}()
	target := []string{"--initrd", initrd, "--command-line", fmt.Sprintf("%s %s%d", j.Cmdline, jumpParam, n+1), j.Kernel}
	if n == 0 {
		// A load stops the process too, and lets it continue.
		if err := g.command(&script.Step{Run: append([]string{"/bin/imaboot", "load"}, target...)}); err != nil {
			return err
		}
		if err := awaitRecords(); err != nil {
			return fmt.Errorf("after load: %w", err)
		}
	}
	// It returns only if there is no jump.
	return g.command(&script.Step{Run: append([]string{"/bin/imaboot", "boot"}, target...), Show: true})
}

// startBeside starts a process that measures, and waits until it does.
func startBeside(dir string, delayMS int) (*exec.Cmd, error) {
	cmd := exec.Command("/proc/self/exe", besideArg, dir, strconv.Itoa(delayMS))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return cmd, awaitRecords()
}

// awaitRecords waits until the list has grown.
func awaitRecords() error {
	const some, patience = 10, 2 * time.Minute
	first, err := handover.LiveCount("/")
	if err != nil {
		return err
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		n, err := handover.LiveCount("/")
		if err != nil {
			return err
		}
		if n >= first+some {
			return nil
		}
	}
	return errors.New("nothing is measured beside imaboot")
}

// measureBeside measures files until it is killed. It keeps none of them.
func measureBeside(dir, delayMS string) error {
	delay, err := strconv.Atoi(delayMS)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		name := filepath.Join(dir, strconv.Itoa(n))
		if err := os.WriteFile(name, []byte(name), 0o755); err != nil {
			return err
		}
		if err := mapExec(name); err != nil {
			return err
		}
		if err := os.Remove(name); err != nil {
			return err
		}
		time.Sleep(time.Duration(delay) * time.Millisecond)
	}
}
