// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/handover"
)

// carriedUnderRoot reads the list that was unpacked for a kernel without an
// initrd: it is in the first root file system, which the kernel's mount of
// root= covers (init/do_mounts.c). A mount namespace of our own, in which that
// is taken off, shows it.
func carriedUnderRoot() (*handover.Carried, error) {
	type result struct {
		list *handover.Carried
		err  error
	}
	done := make(chan result)
	go func() {
		// The thread keeps the namespace, and so ends with the goroutine.
		runtime.LockOSThread()
		list, err := underRoot()
		done <- result{list, err}
	}()
	r := <-done
	return r.list, r.err
}

func underRoot() (*handover.Carried, error) {
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return nil, err
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("unshare: %w", err)
	}
	// Nothing of this reaches other namespaces.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("mount --make-rprivate: %w", err)
	}
	ns, err := unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(ns)
	if err := unix.Unmount("/", unix.MNT_DETACH); err != nil {
		return nil, fmt.Errorf("umount: %w", err)
	}
	if err := unix.Setns(ns, unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("setns: %w", err)
	}
	return handover.FindCarried("/", handover.Token(string(cmdline)))
}
