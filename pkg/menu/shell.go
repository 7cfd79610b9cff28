// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package menu

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
)

// shells are tried in this order. u-root's shells come first.
var shells = []string{"/bin/defaultsh", "/bin/sh", "/bbin/gosh"}

// RunShellOn runs a shell on the console with that name, as RunShell does.
func RunShellOn(console string, log func(format string, args ...any)) error {
	f, err := os.OpenFile(console, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return RunShell(f, log)
}

// RunShell runs the first shell that exists, and waits until it exits. It tells
// log which one it runs. Signals that were ignored work again, because a shell
// needs them.
func RunShell(console *os.File, log func(format string, args ...any)) error {
	for _, name := range shells {
		if _, err := os.Stat(name); err != nil {
			continue
		}
		signal.Reset()
		cmd := exec.Command(name)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = console, console, console
		log("%s: exit to come back", name)
		return cmd.Run()
	}
	return fmt.Errorf("no shell: none of %v exists", shells)
}
