// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// readEventLog returns where the EFI stub has put the log of the firmware's
// measurements. Before Linux 6.12 this is memory that the map calls free, which
// only the kernel's log tells.
func readEventLog(s sysfs) Range {
	const (
		header = 16 // of struct linux_efi_tpm_eventlog, and more
		least  = 64 << 10
		most   = 64 << 20
	)
	if _, err := os.Stat(filepath.Join(string(s), "sys/firmware/efi")); err != nil {
		return Range{}
	}
	at := eventLogAddress(s)
	if at == 0 {
		return Range{}
	}
	var size int64
	names, _ := filepath.Glob(filepath.Join(string(s), "sys/kernel/security/tpm*/binary_bios_measurements"))
	for _, name := range names {
		if f, err := os.Open(name); err == nil {
			n, _ := io.Copy(io.Discard, io.LimitReader(f, most))
			size = max(size, n)
			_ = f.Close()
		}
	}
	return rangeOf(at, Addr(max(size+header, least)))
}

// eventLogAddress searches the kernel's log for what efi_config_parse_tables of
// drivers/firmware/efi/efi.c prints. It returns 0 if that is not there, or no
// longer.
func eventLogAddress(s sysfs) Addr {
	// A read of /dev/kmsg returns one record, and waits for the next one
	// behind the last.
	const (
		wait   = 20 * time.Millisecond
		record = 8 << 10
		name   = "TPMEventLog="
	)
	f, err := os.OpenFile(filepath.Join(string(s), "dev/kmsg"), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer f.Close()
	b := make([]byte, record)
	for {
		_ = f.SetReadDeadline(time.Now().Add(wait))
		n, err := f.Read(b)
		if _, rest, ok := strings.Cut(string(b[:n]), name); ok {
			text, _, _ := strings.Cut(rest, " ")
			at, _ := strconv.ParseUint(strings.TrimSpace(text), 0, 64)
			return Addr(at)
		}
		// EPIPE: the next record was overwritten.
		if err != nil && !errors.Is(err, syscall.EPIPE) {
			return 0
		}
	}
}
