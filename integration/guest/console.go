// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/integration/script"
)

// Actions of syslog(2) besides reading, by their names in
// include/linux/syslog.h.
const (
	syslogConsoleOff = 6
	syslogConsoleOn  = 7
)

// line prints an event in one piece. A terminal accepts a long line in chunks,
// and messages of the kernel could come between them. Therefore line keeps the
// kernel off the console meanwhile.
func line(e script.Event) error {
	b, err := json.Marshal(e)
	if err != nil {
		b = []byte(`{"event":"error","text":"event cannot be printed"}`)
	}
	if _, err := unix.Klogctl(syslogConsoleOff, nil); err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	return errors.Join(printLine(b), consoleOn())
}

func consoleOn() error {
	if _, err := unix.Klogctl(syslogConsoleOn, nil); err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	return nil
}

// printLine opens the console, which makes the kernel finish the message that
// it is printing. It waits until the whole line was sent.
func printLine(b []byte) error {
	console, err := os.OpenFile("/dev/console", os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer console.Close()
	// Begin with a newline, because another program may have begun a line.
	if _, err := fmt.Fprintf(console, "\n%s%s\n", script.Mark, b); err != nil {
		return err
	}
	// tcdrain(3).
	if err := unix.IoctlSetInt(int(console.Fd()), unix.TCSBRK, 1); err != nil {
		return fmt.Errorf("%s: drain: %w", console.Name(), err)
	}
	return nil
}
