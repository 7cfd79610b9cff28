// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"errors"
	"fmt"
	"slices"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader/internal/grubenv"
)

var loadEnvOptions = []option{{"file", 'f', something}, {"skip-sig", 's', nothing}}

func loadEnvCommand(in *interpreter, c *invocation) (int, error) {
	given, names, ok := parseOptions(loadEnvOptions, c.args)
	if !ok {
		return 1, nil
	}
	name := in.environment.get("prefix") + "/grubenv"
	if given.has("file") {
		name = given.last("file")
	}
	where, b, err := in.readEnvBlock(c.at, name)
	switch {
	case errors.Is(err, errStop):
		return 1, err
	case err != nil:
		in.notef(c.at, "%v", err)
		return 1, nil
	}
	variables, err := grubenv.Parse(b)
	if err != nil {
		in.notef(c.at, "%s: %v", printable(where), err)
		return 1, nil
	}
	for _, v := range variables {
		if len(v.Text) <= maxText && (len(names) == 0 || slices.Contains(names, v.Name)) {
			in.set(v.Name, v.Text)
		}
	}
	return 0, nil
}

// readEnvBlock reads a file, or a block list.
func (in *interpreter) readEnvBlock(at position, name string) (where string, b []byte, err error) {
	if m := blockList.FindStringSubmatch(name); m != nil {
		b, err = in.readBlocks(at, m[1], m[2])
		return name, b, err
	}
	f, ok := in.file(name)
	if !ok {
		return name, nil, fmt.Errorf("%w: %s is no file", entry.ErrConfig, printable(name))
	}
	if b, err = f.Volume.ReadConfig(f.Name); err != nil {
		return name, nil, err
	}
	return f.String(), b, in.spend(at, len(b))
}
