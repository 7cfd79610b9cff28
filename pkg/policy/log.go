// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"io"
	"os"
	"strings"
	"syscall"
)

// A kernelLog reads what the kernel logs from now on. A nil one reads nothing.
type kernelLog struct{ f *os.File }

func openLog() *kernelLog {
	f, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil // then the reason stays unknown
	}
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		f.Close()
		return nil
	}
	return &kernelLog{f}
}

func (l *kernelLog) close() {
	if l != nil {
		l.f.Close()
	}
}

// reason returns what IMA said about a rule. That is a record of the audit
// subsystem, which goes to the log if no auditd runs, or a message of IMA
// itself.
func (l *kernelLog) reason() string {
	if l == nil {
		return ""
	}
	// Each read returns one record (Documentation/ABI/testing/dev-kmsg).
	b := make([]byte, 8192)
	var out []string
	for {
		n, err := syscall.Read(int(l.f.Fd()), b)
		if err != nil || n <= 0 {
			return strings.Join(out, "; ")
		}
		_, text, _ := strings.Cut(string(b[:n]), ";")
		text, _, _ = strings.Cut(text, "\n")
		if strings.Contains(text, "ima") || strings.Contains(text, "audit") {
			out = append(out, text)
		}
	}
}
