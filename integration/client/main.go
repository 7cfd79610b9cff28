// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// client boots a kernel from u-root's menu, as a LinuxBoot payload does, and
// carries the measurement list by package carry. It shows that imaboot's command
// is only one of the library's clients.
//
// Synopsis:
//
//	client KERNEL INITRD COMMAND-LINE
package main

import (
	"log"
	"os"
	"time"

	"github.com/u-root/u-root/pkg/boot/menu"

	"github.com/imaboot/imaboot/pkg/carry"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: client KERNEL INITRD COMMAND-LINE")
	}
	log.Fatal(boot(os.Args[1], os.Args[2], os.Args[3]))
}

// boot returns only with an error.
func boot(kernel, initrd, cmdline string) error {
	next := &carry.Entry{
		Name:    kernel,
		Target:  carry.Target{Kernel: kernel, Initrds: []string{initrd}, Cmdline: cmdline},
		Options: carry.Options{Log: log.Printf},
		Default: true,
	}
	menu.SetInitialTimeout(time.Second)
	chosen := menu.ShowMenuAndLoad(true, next, menu.Reboot{}, menu.StartShell{})
	if chosen == nil { // no terminal to ask on
		if err := next.Load(); err != nil {
			return err
		}
		chosen = next
	}
	return chosen.Exec()
}
