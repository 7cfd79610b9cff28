// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

//go:build !race

package offline

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// memoryVariable tells a child what to verify.
const memoryVariable = "IMABOOT_TEST_VERIFY"

// TestMemory verifies a large list in a child, and asks how much memory that took.
// The race detector takes much more.
func TestMemory(t *testing.T) {
	if args := os.Getenv(memoryVariable); args != "" {
		memoryChild(t, strings.Fields(args))
		return
	}
	const size, most = 48 << 20, 32 << 10 // in bytes and in KiB
	b := &builder{}
	b.add(10, digest("aggregate"), "boot_aggregate")
	for i := 0; len(b.list) < size; i++ {
		b.add(10, digest("file"), fmt.Sprintf("/%d/%s", i, strings.Repeat("x", 4000)))
	}
	name := directory{t, t.TempDir()}.file("list", b.list)
	c := exec.Command(os.Args[0], "-test.run=^TestMemory$", "-test.v")
	c.Env = append(os.Environ(), memoryVariable+"="+strings.Join([]string{name, b.value(10, pcr.SHA1), b.value(10, pcr.SHA256)}, " "))
	out, err := c.CombinedOutput()
	if errors.Is(err, unix.ENOEXEC) {
		t.Skip("a program that is emulated cannot start itself")
	}
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(out)
	if err != nil || peak == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if kib, err := strconv.Atoi(string(peak[1])); err != nil || kib > most {
		t.Errorf("it took %s KiB, and may take %d", peak[1], most)
	}
}

func memoryChild(t *testing.T, args []string) {
	check(t, Options{List: args[0], PCRs: args[1:], Digest: true}, "", "sha256 match")
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%s", status)
}
