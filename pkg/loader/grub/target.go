// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"fmt"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// A target is what linux and initrd have loaded.
type target struct {
	kernel     *entry.File
	initrds    []entry.File
	deviceTree *entry.File
	cmdline    string
	wrong      error // with one of the files
}

// errNoLinux means that something other than Linux would be booted.
var errNoLinux = fmt.Errorf("%w: no linux command", entry.ErrConfig)

// why says why the target cannot be booted.
func (t *target) why() error {
	if t.kernel == nil && t.wrong == nil {
		return errNoLinux
	}
	return t.wrong
}

// existing resolves a file that is to be loaded.
func (in *interpreter) existing(name string) (entry.File, error) {
	f, ok := in.file(name)
	if !ok {
		return f, fmt.Errorf("%w: %s is no file on this machine", entry.ErrConfig, printable(name))
	}
	if !in.affords() {
		return f, errTooMuch
	}
	_, err := f.Volume.Path(f.Name)
	return f, err
}

func linuxCommand(in *interpreter, c *invocation) (int, error) {
	if len(c.args) == 0 {
		return 1, nil
	}
	in.target = target{}
	kernel, err := in.existing(c.args[0])
	if err != nil {
		in.target.wrong = err
		return 1, nil
	}
	in.target.kernel, in.target.cmdline = &kernel, commandLine(c.args[1:])
	return 0, nil
}

// initrdCommand fails if one of its files is missing. GRUB would go on without the
// initrd, but the kernel would not get far.
func initrdCommand(in *interpreter, c *invocation) (int, error) {
	if len(c.args) == 0 || in.target.kernel == nil {
		return 1, nil
	}
	in.target.initrds = nil
	if len(c.args) > loader.MaxInitrds {
		in.target.wrong = fmt.Errorf("%w: more than %d initrds", entry.ErrConfig, loader.MaxInitrds)
		return 1, nil
	}
	for _, name := range c.args {
		f, err := in.existing(name)
		if err != nil {
			in.target.wrong = err
			return 1, nil
		}
		in.target.initrds = append(in.target.initrds, f)
	}
	return 0, nil
}

func deviceTreeCommand(in *interpreter, c *invocation) (int, error) {
	if len(c.args) == 0 {
		return 1, nil
	}
	f, err := in.existing(c.args[0])
	if err != nil {
		in.target.wrong = err
		return 1, nil
	}
	in.target.deviceTree = &f
	return 0, nil
}

// commandLine joins words as GRUB does. It quotes a word with a space, and puts
// a backslash in front of backslashes and quotes, except in \xHH, which
// Fedora's and RHEL's GRUB leave as it is.
func commandLine(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		quote := strings.Contains(w, " ")
		if quote {
			b.WriteByte('"')
		}
		for i := 0; i < len(w); i++ {
			if strings.IndexByte(`\'"`, w[i]) >= 0 && !isHexEscape(w[i:]) {
				b.WriteByte('\\')
			}
			b.WriteByte(w[i])
		}
		if quote {
			b.WriteByte('"')
		}
	}
	return b.String()
}
