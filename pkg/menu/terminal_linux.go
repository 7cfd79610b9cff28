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

// A Terminal is a console that returns each key when it is pressed.
type Terminal struct {
	*os.File
	before *unix.Termios
}

// Consoles opens all active consoles of the kernel, which
// /sys/class/tty/console/active under root (normally "/") lists, and switches
// them to single keys. It leaves out consoles that cannot be opened. If none
// can, it returns an error.
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
	// The device node of a mainframe's line-mode console does not have the
	// console's name.
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
	// Open without blocking, so that a deadline can end a read.
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
		// ^C and ^S are ordinary keys: they neither end nor stop the
		// menu.
		now.Lflag &^= unix.ICANON | unix.ECHO | unix.ISIG
		now.Iflag &^= unix.IXON
		now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
		return unix.IoctlSetTermios(fd, unix.TCSETS, now)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s is not a terminal: %w", name, err), f.Close())
	}
	return t, nil
}

// Close restores the terminal's settings and closes it.
func (t *Terminal) Close() error {
	return errors.Join(t.control(func(fd int) error { return unix.IoctlSetTermios(fd, unix.TCSETS, t.before) }), t.File.Close())
}

// control keeps the file non-blocking, which its method Fd does not.
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

// Writers converts terminals to the type that Show takes.
func Writers(all []*Terminal) []io.ReadWriter {
	out := make([]io.ReadWriter, len(all))
	for i, t := range all {
		out[i] = t
	}
	return out
}
