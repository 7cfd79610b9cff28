// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/integration/script"
)

// swap waits in the background until a file is opened, which is when IMA
// measures it. It then changes the file before it is used, as an attacker
// would.
func (g *guest) swap(name string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("inotify: %w", err)
	}
	if _, err := unix.InotifyAddWatch(fd, name, unix.IN_OPEN); err != nil {
		return fmt.Errorf("watch %s: %w", name, err)
	}
	go func() {
		defer unix.Close(fd)
		if _, err := unix.Read(fd, make([]byte, 4096)); err != nil {
			g.emit(script.Event{Event: "error", Text: err.Error()})
			return
		}
		if err := changeLast(name); err != nil {
			g.emit(script.Event{Event: "error", Text: err.Error()})
			return
		}
		g.emit(script.Event{Event: "swapped"})
	}()
	return nil
}

func changeLast(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, info.Size()-1); err != nil {
		return err
	}
	b[0]++ // always differs from the old value
	_, err = f.WriteAt(b, info.Size()-1)
	return err
}
