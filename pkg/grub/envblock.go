// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

const envBlockSignature = "# GRUB Environment Block\n"

type assignment struct{ name, text string }

// parseEnvBlock reads GRUB's environment block (grub.info, "Environment
// block"): lines NAME=VALUE in which a backslash precedes a backslash and the
// end of a line, filled up with number signs. GRUB's own size is 1024 bytes,
// but it reads any. ParseEnvFile of u-root fails at an empty value, knows no
// backslash, and brings its own loader along.
func parseEnvBlock(block []byte) ([]assignment, error) {
	rest, ok := strings.CutPrefix(string(block), envBlockSignature)
	if !ok {
		return nil, fmt.Errorf("%w: no environment block", entry.ErrConfig)
	}
	var out []assignment
	var line strings.Builder
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\' && i+1 < len(rest):
			i++
			line.WriteByte(rest[i])
		case c == '\n':
			name, text, ok := strings.Cut(line.String(), "=")
			if ok && !strings.HasPrefix(name, "#") {
				out = append(out, assignment{name, text})
			}
			line.Reset()
		default:
			line.WriteByte(c)
		}
	}
	return out, nil
}

// blockList is what no file system shows: sectors of a device (grub.info, "Block
// list syntax"). SUSE keeps an environment block in them on btrfs, which GRUB
// cannot write to otherwise.
var blockList = regexp.MustCompile(`^(\([^)]*\))?[0-9]*\+[0-9]+(,[0-9]*\+[0-9]+)*$`)

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
	f, ok := in.file(name)
	if !ok {
		if blockList.MatchString(name) {
			in.notef(c.at, "%s: next_entry in a block list is not read", printable(name))
		}
		return 1, nil
	}
	b, err := f.Volume.ReadConfig(f.Name)
	if err != nil {
		in.notef(c.at, "%v", err)
		return 1, nil
	}
	if err := in.spend(c.at, len(b)); err != nil {
		return 1, err
	}
	assignments, err := parseEnvBlock(b)
	if err != nil {
		in.notef(c.at, "%s: %v", printable(f.String()), err)
		return 1, nil
	}
	for _, a := range assignments {
		if len(a.text) <= maxText && (len(names) == 0 || slices.Contains(names, a.name)) {
			in.set(a.name, a.text)
		}
	}
	return 0, nil
}
