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

// A kernelLog reads what the kernel says from now on; nil reads nothing.
type kernelLog struct{ f *os.File }

func openLog() *kernelLog {
	f, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil // the reason is then not known
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

// reason is what IMA said of a rule: a record of the audit subsystem, which
// goes to the log where no auditd runs, or a message of its own.
func (l *kernelLog) reason() string {
	if l == nil {
		return ""
	}
	// One record a read (Documentation/ABI/testing/dev-kmsg).
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
