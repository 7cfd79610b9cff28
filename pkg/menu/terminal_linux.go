// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package menu

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A Terminal is a console that gives keys as they are pressed.
type Terminal struct {
	*os.File
	before *unix.Termios
}

// Consoles opens all active consoles of the kernel under root ("/"), as
// /sys/class/tty/console/active names them, and takes their keys one by one.
// What cannot be opened is left out; no console at all is an error.
func Consoles(root string) ([]*Terminal, error) {
	b, err := os.ReadFile(filepath.Join(root, "sys/class/tty/console/active"))
	if err != nil {
		return nil, fmt.Errorf("consoles: %w", err)
	}
	var out []*Terminal
	var errs []error
	for name := range strings.FieldsSeq(string(b)) {
		t, err := openTerminal(filepath.Join(root, "dev", name))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, t)
	}
	// The node of a mainframe's line mode has another name than its console.
	if len(out) == 0 {
		t, err := openTerminal(filepath.Join(root, "dev/console"))
		if err != nil {
			errs = append(errs, err)
		} else {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("consoles: none can be opened: %w", errors.Join(errs...))
	}
	return out, nil
}

func openTerminal(name string) (*Terminal, error) {
	// Without waiting, so that a read can be ended.
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	t := &Terminal{File: f}
	err = t.control(func(fd int) error {
		now, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		before := *now
		t.before = &before
		// ^C and ^S are keys like others: nobody ends or stops the menu.
		now.Lflag &^= unix.ICANON | unix.ECHO | unix.ISIG
		now.Iflag &^= unix.IXON
		now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
		return unix.IoctlSetTermios(fd, unix.TCSETS, now)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s is no terminal: %w", name, err), f.Close())
	}
	return t, nil
}

// Close gives the terminal back as it was.
func (t *Terminal) Close() error {
	return errors.Join(t.control(func(fd int) error { return unix.IoctlSetTermios(fd, unix.TCSETS, t.before) }), t.File.Close())
}

// control keeps the file in the poller, unlike its Fd.
func (t *Terminal) control(f func(fd int) error) error {
	c, err := t.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := c.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// Writers are terminals as Show takes them.
func Writers(all []*Terminal) []io.ReadWriter {
	out := make([]io.ReadWriter, len(all))
	for i, t := range all {
		out[i] = t
	}
	return out
}
