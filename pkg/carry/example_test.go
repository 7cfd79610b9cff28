// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry_test

import (
	"context"
	"fmt"
	"log"

	"github.com/imaboot/imaboot/pkg/carry"
)

// A LinuxBoot payload boots a kernel that it has found.
func Example() {
	target := carry.Target{
		Kernel:  "/mnt/boot/vmlinuz",
		Initrds: []string{"/mnt/boot/initrd.img"},
		Cmdline: "root=/dev/sda2 ro",
	}
	ctx := context.Background()
	job, err := carry.Open(ctx, target, carry.Options{Log: log.Printf})
	if err != nil {
		log.Print(err) // bad-file: …
		return
	}
	defer job.Close()
	if _, err := job.Load(ctx); err != nil {
		log.Print(err)
		return
	}
	log.Print(job.Exec(ctx)) // it returns only with an error
}

// A menu opens nothing of the entries that it only offers, and so leaves no
// record of them in the list.
func ExampleProbe() {
	by, why, err := carry.Probe(context.Background(), carry.Target{Kernel: "/mnt/boot/vmlinuz"}, carry.Options{})
	if err != nil {
		fmt.Println("the list would not arrive:", err)
		return
	}
	fmt.Printf("the list travels by the %s: %s\n", by, why)
}
