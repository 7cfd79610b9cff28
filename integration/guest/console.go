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

// What syslog(2) does beside reading, as include/linux/syslog.h names it.
const (
	syslogConsoleOff = 6
	syslogConsoleOn  = 7
)

// line prints an event in one piece. A terminal takes a long line in chunks,
// and the kernel's own messages would come between them, so that the console
// is taken from the kernel meanwhile.
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

// printLine opens the console, for which the kernel ends the message that it
// is printing, and waits until everything went out.
func printLine(b []byte) error {
	console, err := os.OpenFile("/dev/console", os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer console.Close()
	// A newline in front, since somebody may have begun a line.
	if _, err := fmt.Fprintf(console, "\n%s%s\n", script.Mark, b); err != nil {
		return err
	}
	// tcdrain(3).
	if err := unix.IoctlSetInt(int(console.Fd()), unix.TCSBRK, 1); err != nil {
		return fmt.Errorf("%s: drain: %w", console.Name(), err)
	}
	return nil
}
