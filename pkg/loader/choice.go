// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"fmt"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// A Ref is a file as a configuration names it.
type Ref struct {
	// On are the volumes that the file may be on: the intended one first,
	// then the others to try. It is unused for files on the network.
	On   []*entry.Volume
	Name string
}

// A Choice is an entry whose files have not been found yet.
type Choice struct {
	// Where is FILE:NUMBER, for notes.
	Where     string
	ID, Title string
	Kernel    Ref
	Initrds   []Ref
	// DeviceTree is nil if the choice names none.
	DeviceTree *Ref
	Cmdline    string
}

// Build makes an entry of a choice. It finds the files with locate, and fails
// if one is missing or the choice exceeds a bound.
func (ch *Choice) Build(locate func(Ref) (entry.File, error)) (e entry.Entry, err error) {
	e = entry.Entry{ID: ch.ID, Title: ch.Title, Cmdline: strings.TrimSpace(ch.Cmdline)}
	if len(ch.Cmdline) > MaxCmdline {
		return e, fmt.Errorf("a command line of more than %d bytes", MaxCmdline)
	}
	if len(ch.Initrds) > MaxInitrds {
		return e, fmt.Errorf("more than %d initrds", MaxInitrds)
	}
	if e.Kernel, err = locate(ch.Kernel); err != nil {
		return e, fmt.Errorf("kernel: %w", err)
	}
	for _, r := range ch.Initrds {
		f, err := locate(r)
		if err != nil {
			return e, fmt.Errorf("initrd: %w", err)
		}
		e.Initrds = append(e.Initrds, f)
	}
	if ch.DeviceTree != nil {
		f, err := locate(*ch.DeviceTree)
		if err != nil {
			return e, fmt.Errorf("device tree: %w", err)
		}
		e.DeviceTree = &f
	}
	return e, nil
}
