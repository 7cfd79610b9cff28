// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/integration/script"
)

// measure maps new files for execution, because ima_policy=tcb does not measure
// reads on tmpfs.
func (g *guest) measure(s *script.Step) error {
	dir, err := os.MkdirTemp("/", "measured")
	if err != nil {
		return err
	}
	n := 0
	for ; n < s.Measure && !g.stop.Load(); n++ {
		name := filepath.Join(dir, strconv.Itoa(n))
		if err := os.WriteFile(name, []byte(name), 0o755); err != nil {
			return err
		}
		if err := os.Chown(name, s.Owner, 0); err != nil {
			return err
		}
		if err := mapExec(name); err != nil {
			return err
		}
		time.Sleep(time.Duration(s.DelayMS) * time.Millisecond)
	}
	g.emit(script.Event{Event: "measured", Count: n})
	return nil
}

func mapExec(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := unix.Mmap(int(f.Fd()), 0, 1, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("mmap %s: %w", name, err)
	}
	return unix.Munmap(b)
}
