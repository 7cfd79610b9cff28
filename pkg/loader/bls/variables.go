// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package bls

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader/internal/grubenv"
)

// environments are where GRUB keeps its environment block.
var environments = []string{"boot/grub2/grubenv", "grub2/grubenv", "boot/grub/grubenv", "grub/grubenv"}

// maxText is how long an entry's file may be, and a text after its variables
// are replaced; kernels take command lines of some kilobytes.
const maxText = 1 << 16

// variables are those of GRUB, which entries of Fedora and RHEL use.
type variables struct {
	given, saved map[string]string
}

// newVariables reads the first environment block that it finds.
func newVariables(c *entry.Config, at *place, given map[string]string) *variables {
	env := &variables{given: given, saved: map[string]string{}}
	var names []string
	if at.below != "" {
		for _, name := range environments {
			names = append(names, path.Join(at.below, name))
		}
	}
	for _, name := range append(names, environments...) {
		b, err := at.volume.ReadConfig(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var all []grubenv.Variable
		if err == nil {
			all, err = grubenv.Parse(b)
		}
		if err != nil {
			c.Notef("%s: %v", name, err)
			continue
		}
		for _, v := range all {
			env.saved[v.Name] = v.Text
		}
		break
	}
	return env
}

// get returns an empty text for a variable that is not set. A configuration
// that calls blscfg has loaded the block itself, but it may rely on blscfg's
// own fallback for kernelopts.
func (env *variables) get(name string) string {
	value, ok := env.given[name]
	if !ok && name == "kernelopts" {
		value, ok = env.given["default_kernelopts"]
	}
	if !ok && (env.given == nil || name == "kernelopts") {
		value = env.saved[name]
	}
	return value
}

var variable = regexp.MustCompile(`\$(?:\w+|\{\w+\})`)

// expand replaces variables once: their values are not expanded.
func (env *variables) expand(text string) (string, error) {
	var b strings.Builder
	at := 0
	for _, m := range variable.FindAllStringIndex(text, -1) {
		b.WriteString(text[at:m[0]])
		b.WriteString(env.get(strings.Trim(text[m[0]:m[1]], "${}")))
		if at = m[1]; b.Len() > maxText {
			break
		}
	}
	b.WriteString(text[at:])
	if b.Len() > maxText {
		return "", fmt.Errorf("a value has more than %d bytes", maxText)
	}
	return b.String(), nil
}
